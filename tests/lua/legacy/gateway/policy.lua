#!/usr/sbin/ipfi -f
-- Made of the rule files of tests/lua/legacy/gateway by ipfi --import-legacy. Behind each rule
-- stands where it comes from; what could not be kept is said in comments.
-- options:7: MAX_NAT_ENTRIES is not kept: translations live in the state table and count for
-- max_states

-- Sites that are denied both ways. Rules hold addresses, so a job of cron has to look up the names
-- and keep the set:
--
--     ipfi blocked-sites.lua set=blocked_sites file=FILE
--
-- (it comes with the examples), where FILE has these names, one a line:
--
--     www.ads.example
--     tracker.example
--
local blocked_sites = set { name = "blocked_sites", dynamic = true }

return policy {
  name = "imported",
  default = { ["in"] = "deny", out = "deny", forward = "deny" },
  stateful = true,
  limits = { max_states = 20000 },

  nat = {
    dnat { -- translation:1
      "web server",
      iif = "wan0",
      proto = "tcp",
      dst = "me",
      dport = 80,
      to = "10.0.0.10:8080",
    },
    dnat { -- translation:11
      "dns from anywhere",
      iif = "*",
      proto = "udp",
      dst = "192.0.2.1",
      dport = 53,
      to = "10.0.0.53",
    },
    redirect { -- translation:19
      "proxy",
      family = 4,
      iif = "lan0",
      proto = "tcp",
      dst = "me",
      dport = 8080,
      to_port = 3128,
    },
    dnat { -- translation:28
      "other port",
      iif = "wan0",
      proto = "tcp",
      dst = "10.0.0.10",
      dport = 8443,
      to = "10.0.0.10:443",
    },
    dnat { "my own", proto = "tcp", src = "me", dst = "192.0.2.99", to = "10.0.0.99" }, -- translation:37
    snat { "mail server leaves as", oif = "wan0", src = "10.0.0.25", to = "192.0.2.25" }, -- translation:44
    masquerade { "all others", family = 4, oif = "wan0", src = "10.0.0.0-10.0.0.255" }, -- translation:52
    -- translation:60: rule 'wrong way': DIRECTION=POST: DNAT has DIRECTION=PRE or OUTPUT; it is
    -- left out
    --     NAME=wrong way DIRECTION=POST NAT=YES NEWADDR=10.0.0.1
    -- translation:65: rule 'wrong way too': DIRECTION=PRE: MASQUERADE has DIRECTION=POST; it is
    -- left out
    --     NAME=wrong way too DIRECTION=PRE NAT=YES MASQUERADE=YES
    -- translation:70: rule 'filtered': DIRECTION=FORWARD: DNAT has DIRECTION=PRE or OUTPUT; it is
    -- left out
    --     NAME=filtered DIRECTION=FORWARD NAT=YES NEWADDR=10.0.0.1
    -- translation:81: rule 'whose port': NEWPORT without NEWADDR is kept only for one destination
    -- (one DSTADDR, or MYDSTADDR); it is left out
    --     NAME=whose port DIRECTION=PRE PROTOCOL=6 DSTPORT=25 NAT=YES NEWPORT=2525
    -- translation:86: rule 'web server': OUTDEVICE: the way out is not known yet where destinations
    -- are translated; it is left out, because it would translate more without that
    --     NAME=web server DIRECTION=PRE INDEVICE=wan0 OUTDEVICE=lan0 PROTOCOL=6 NAT=YES
    --     NEWADDR=10.0.0.11
    -- translation:90: rule 'clamp': it says neither NAT, SNAT nor MASQUERADE; it is left out
    -- translation:93: rule 'clamp': MSS_VALUE belongs to the rule that allows the connection (mss =
    -- ...): not kept
    --     NAME=clamp DIRECTION=POST MSS_VALUE=TO_PMTU
  },

  rules = {
    deny { "from blocked sites", src = { blocked_sites, "198.51.100.7" } },
    deny { "to blocked sites", dst = { blocked_sites, "198.51.100.7" } },

    -- The original knew IPv4 only. Take family = 4 away where IPv6 shall have the same.
    group { "allowed", family = 4 } {
      allow { -- allowed:1
        "inside -> ftp",
        dir = "forward",
        iif = "lan0",
        oif = "wan0",
        proto = "tcp",
        dport = 21,
        helper = "ftp",
      },
      allow { -- allowed:10
        "inside -> outside",
        dir = "forward",
        iif = "lan0",
        oif = "wan0",
        proto = "tcp",
        mss = "pmtu",
      },
      allow { -- allowed:18
        "outside -> web server",
        dir = "forward",
        iif = "wan0",
        oif = "lan0",
        proto = "tcp",
        dst = "10.0.0.10",
        dport = 80,
        mss = 1400,
      },
      -- allowed:36: rule 'inside -> proxy': MSS_VALUE needs DIRECTION=FORWARD and PROTOCOL=6: not
      -- kept
      allow { -- allowed:28
        "inside -> proxy",
        dir = "in",
        iif = "lan0",
        proto = "tcp",
        dst = "me",
        dport = 3128,
      },
    },
  },
}
