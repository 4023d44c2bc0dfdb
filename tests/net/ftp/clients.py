# SPDX-License-Identifier: GPL-2.0-or-later
"""FTP clients, and how each is told to do the same in one session:

upload FILE as files/NAME, list files/ into "list", download files/NAME into "down", then download files/big into "part",
slowly, until somebody ends it.

A client is (its arguments, its standard input, the signal that ends it) for a mode: the command that announces its data
connections, PASV, EPSV, PORT or EPRT.
"""
import re
import signal

SLOW = 400000  # bytes a second of the last download


def curl(mode, host, port, user, password, name, file, patience):
    # An answer's address is used as it is: that the firewall has translated it is the point.
    options = ["-sS", "-v", "-g", "-u", user + ":" + password, "--no-ftp-skip-pasv-ip", "--max-time", str(patience)]
    options += {"PASV": ["--disable-epsv"], "PORT": ["--ftp-port", "-", "--disable-eprt"],
                "EPRT": ["--ftp-port", "-"]}.get(mode, [])
    files = "ftp://%s:%d/files/" % ("[%s]" % host if ":" in host else host, port)
    # It has no way to abort a transfer but to die of it.
    return (["curl", *options, "-T", file, "-o", "/dev/null", files + name, "-o", "list", files, "-o", "down", files + name,
             "--next", *options, "--limit-rate", str(SLOW), "-o", "part", files + "big"], "", signal.SIGKILL)


def lftp(mode, host, port, user, password, name, file, patience):
    script = """
        set net:max-retries 1
        set net:timeout %d
        set net:persist-retries 0
        set xfer:clobber on
        set ftp:ssl-allow no
        set ftp:use-mdtm no
        set ftp:fix-pasv-address no
        set cmd:fail-exit yes
        set ftp:passive-mode %s
        set ftp:prefer-epsv %s
        debug 5
        open -u %s,%s -p %d %s
        put %s -o files/%s
        ls files >list
        get files/%s -o down
        set net:limit-rate %d
        get files/big -o part
    """ % (patience, "on" if mode in ("PASV", "EPSV") else "off", "on" if mode == "EPSV" else "off",
           user, password, port, host, file, name, name, SLOW)
    with open("script", "w") as written:
        written.write(script)
    return ["lftp", "--norc", "-f", "script"], "", signal.SIGINT


def tnftp(mode, host, port, user, password, name, file, patience):
    """The classic one. Interrupted, it tells the server to abort, and goes on with the session."""
    script = """open %s %d
        user %s %s
        binary
        passive %s
        epsv4 %s
        put %s files/%s
        ls files list
        get files/%s down
        rate get %d
        get files/big part
        bye
    """ % (host, port, user, password, "on" if mode in ("PASV", "EPSV") else "off",
           "on" if mode in ("EPSV", "EPRT") else "off", file, name, name, SLOW)
    script = "\n".join(line.strip() for line in script.splitlines()) + "\n"
    return ["tnftp", "-i", "-n", "-v", "-d", "-q", str(patience)], script, signal.SIGINT


CLIENTS = {"curl": curl, "lftp": lftp, "tnftp": tnftp}

COMMAND = re.compile(r"(?:---)?> (PASV|EPSV|PORT|EPRT)\b")
REPLY = re.compile(r"(?:<---? ?|< )?([1-5][0-9][0-9]) ")


def read_trace(text):
    """How often a client logged in, which of the four commands it sent, and which of them the server refused, from what
    it says of the session."""
    logins, asked, refused, command = 0, [], [], None
    for line in text.splitlines():
        sent, reply = COMMAND.match(line), REPLY.match(line)
        if sent:
            command = sent[1]
            if command not in asked:
                asked.append(command)
        elif reply:
            logins += reply[1] == "230"
            if command and reply[1] >= "500" and command not in refused:
                refused.append(command)
            command = None
    return logins, asked, refused
