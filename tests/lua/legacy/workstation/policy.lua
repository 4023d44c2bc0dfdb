#!/usr/sbin/ipfi -f
-- Made of the rule files of tests/lua/legacy/workstation by ipfi --import-legacy. Behind each rule
-- stands where it comes from; what could not be kept is said in comments.
-- options:5: USER_ALLOWED is not kept: only root commits rules
-- options:6: NOFLUSH_ON_EXIT=NO is not kept: the rules stay when ipfi ends
-- options:8: MAX_LOGINFO_ENTRIES is not kept: a rule's own limit says how often it is logged
-- options:10: LOGUSER is not kept: rules log by themselves: log = "prefix"
-- options:11: unknown option 'MAX_STATES'

return policy {
  name = "imported",
  default = { ["in"] = "deny", out = "deny", forward = "deny" },
  limits = { max_states = 2000 },

  rules = {
    -- Denials come before what is allowed.
    group { "blacklist" } {
      deny { "no smtp", dir = "out", proto = "tcp", dport = 25, log = true }, -- blacklist:1
      deny { "not from here", dir = "in", iif = "eth0", src = "10.0.0.0-10.255.255.255" }, -- blacklist:7
      deny { -- blacklist:13
        "only one may",
        dir = "in",
        family = 4,
        proto = "tcp",
        src = "!192.168.1.5",
        dport = 3306,
      },
      -- blacklist:24: rule 'odd pings': ICMP_ECHO_SEQ is nothing a rule can ask for; it is kept
      -- without that, so it denies more than it did
      deny { "odd pings", dir = "in", proto = "icmp", icmp = 8 }, -- blacklist:19
      -- blacklist:27: rule 'a nat rule': DIRECTION=POST is for address translation, whose rules
      -- stand in the file translation; it is left out
      --     NAME=a nat rule DIRECTION=POST NAT=YES SNAT=YES NEWADDR=192.0.2.1
    },

    -- The original knew IPv4 only. Take family = 4 away where IPv6 shall have the same.
    group { "allowed", family = 4 } {
      allow { "loopback in", dir = "in", iif = "lo" }, -- allowed:2
      allow { "loopback out", dir = "out", oif = "lo" }, -- allowed:8
      allow { -- allowed:12
        "me -> web",
        dir = "out",
        proto = "tcp",
        src = "me",
        dport = { 80, 443, 8080 },
        state = true,
      },
      allow { -- allowed:21
        "dns",
        dir = "out",
        proto = "udp",
        dst = {
          "192.168.1.1", "192.168.1.2", "192.168.1.3", "192.168.1.4", "192.168.1.5", "192.168.1.6",
        },
        dport = 53,
        state = true,
      },
      allow { "ping", dir = "out", proto = "icmp", icmp = "8/0", state = true }, -- allowed:33
      allow { -- allowed:40
        "ssh",
        dir = "in",
        proto = "tcp",
        src = "192.168.1.10-192.168.1.20",
        dst = "me",
        sport = "1024-65535",
        dport = 22,
        flags = "S/SFRA",
        state = true,
        log = true,
      },
      -- allowed:56: rule 'ssh': the name is taken by the rule at allowed:40; here it is 'ssh 2'
      allow { -- allowed:56
        "ssh 2",
        dir = "in",
        proto = "tcp",
        src = "192.168.2.10",
        dport = 22,
        state = true,
      },
      -- allowed:68: rule 'one ping only': ICMP_ECHO_ID is nothing a rule can ask for; it is left
      -- out, because it would allow more without that
      --     NAME=one ping only DIRECTION=INPUT PROTOCOL=1 ICMP_TYPE=8 ICMP_ECHO_ID=1234
      --     KEEP_STATE=YES
      allow { "voice", dir = "out", proto = "udp", dport = 5004, length = 200, dscp = 46 }, -- allowed:70
      allow { -- allowed:77
        "tunnel",
        dir = "in",
        proto = 47,
        src = { "!me", "!203.0.113.1", "!203.0.113.2" },
      },
    },
  },
}
