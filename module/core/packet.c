// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From bytes to struct ipfi_packet.
 *
 * Every length is taken from three that agree: what a header says, what the packet has, what can be
 * read. A step first asks need() for the bytes it looks at; need() answers for all three, and a
 * step hands on any answer but 0. So the parser returns early with the number of bytes that it
 * lacks, and starts anew when the caller has made them readable: headers stand in the first bytes
 * nearly always, and nothing is kept between two tries that could be stale.
 */
#include "module/core/packet.h"
#include "module/core/tcp.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define UDP_HEADER 8
#define ICMP_HEADER 8
#define SCTP_HEADER 12 /* the common header */
#define DCCP_HEADER 12 /* the generic header with short sequence numbers */
#define AH_HEADER 12   /* its fixed part */
#define QUOTED 8 /* bytes that an ICMP error quotes of a transport header at least (RFC 792) */

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff
#define IPV6_MORE_FRAGMENTS 0x0001
#define IPV6_FRAGMENT_OFFSET 0xfff8

/* IPv6 extension headers, by their protocol numbers. */
#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define AUTHENTICATION 51
#define DESTINATION 60

/* RFC 8200 section 4.1 knows six at most before the transport header; a few more are borne with. */
#define EXTENSIONS_MAX 8

#define ICMPV6_ROUTER_ADVERTISEMENT 134
#define ICMPV6_REDIRECT 137

/* A packet's bytes. */
struct extent {
	const u8 *data;
	u32 avail; /* readable, <= end */
	u32 end;   /* the packet ends here; what follows is the link layer's padding */
};

/* What an IP header and its extension headers say about what follows them. */
struct network {
	u32 transport; /* its offset */
	u32 length;    /* of the whole packet, as the header has it */
	u8 proto;
	bool first; /* the first of several fragments */
	bool later; /* another than the first: no transport header follows */
};

/* RFC 792, RFC 950 (address mask), RFC 8335 (extended echo). What is not named is a signal. */
static const u8 icmp_kinds[] = {
	[0] = IPFI_ICMP_REPLY,	/* echo reply */
	[3] = IPFI_ICMP_ERROR,	/* destination unreachable */
	[8] = IPFI_ICMP_QUERY,	/* echo */
	[11] = IPFI_ICMP_ERROR, /* time exceeded */
	[12] = IPFI_ICMP_ERROR, /* parameter problem */
	[13] = IPFI_ICMP_QUERY, /* timestamp */
	[14] = IPFI_ICMP_REPLY, /* timestamp reply */
	[15] = IPFI_ICMP_QUERY, /* information request */
	[16] = IPFI_ICMP_REPLY, /* information reply */
	[17] = IPFI_ICMP_QUERY, /* address mask request */
	[18] = IPFI_ICMP_REPLY, /* address mask reply */
	[42] = IPFI_ICMP_QUERY, /* extended echo request */
	[43] = IPFI_ICMP_REPLY, /* extended echo reply */
};

/*
 * RFC 4443, RFC 8335 (extended echo), RFC 4620 (node information, which has the question's type
 * where the others have the identifier; the answer repeats it).
 */
static const u8 icmpv6_kinds[] = {
	[1] = IPFI_ICMP_ERROR,	 /* destination unreachable */
	[2] = IPFI_ICMP_ERROR,	 /* packet too big */
	[3] = IPFI_ICMP_ERROR,	 /* time exceeded */
	[4] = IPFI_ICMP_ERROR,	 /* parameter problem */
	[128] = IPFI_ICMP_QUERY, /* echo request */
	[129] = IPFI_ICMP_REPLY, /* echo reply */
	[139] = IPFI_ICMP_QUERY, /* node information query */
	[140] = IPFI_ICMP_REPLY, /* node information reply */
	[160] = IPFI_ICMP_QUERY, /* extended echo request */
	[161] = IPFI_ICMP_REPLY, /* extended echo reply */
};

enum ipfi_icmp_kind ipfi_icmp_kind(u8 family, u8 type)
{
	const u8 *kinds = family == 4 ? icmp_kinds : icmpv6_kinds;
	u32 count = family == 4 ? sizeof(icmp_kinds) : sizeof(icmpv6_kinds);

	return type < count && kinds[type] ? kinds[type] : IPFI_ICMP_SIGNAL;
}

/* The type of the query that a reply answers: of IPv4's echo reply 8, else the number before. */
static u8 query_of(u8 reply)
{
	return reply ? reply - 1 : 8;
}

/*
 * The ports of a query or a reply: the asker's is the identifier, the other's the type of the
 * query. Only a query's own reply has its key then; the other host's query with the same identifier
 * has another.
 */
static void icmp_ports(struct ipfi_tuple *tuple, const u8 *icmp, u8 kind)
{
	u16 identifier = ipfi_get16(icmp + 4);

	if (kind == IPFI_ICMP_QUERY) {
		tuple->sport = identifier;
		tuple->dport = icmp[0];
	} else {
		tuple->sport = query_of(icmp[0]);
		tuple->dport = identifier;
	}
}

static bool is_icmp(const struct ipfi_tuple *tuple)
{
	return tuple->proto == (tuple->family == 4 ? IPFI_PROTO_ICMP : IPFI_PROTO_ICMPV6);
}

/* Are the bytes before offset @upto there? 0, or what ipfi_packet_parse() is to return. */
static inline int need(const struct extent *packet, u32 upto)
{
	if (likely(upto <= packet->avail))
		return 0;
	return upto <= packet->end ? (int)upto : -IPFI_REASON_TRUNCATED;
}

static inline void read_ipv4_addr(struct ipfi_addr *addr, const u8 *p)
{
	ipfi_addr_set(addr, ipfi_get32(p), 0, 0, 0);
}

static inline void read_ipv6_addr(struct ipfi_addr *addr, const u8 *p)
{
	ipfi_addr_set(addr, ipfi_get32(p), ipfi_get32(p + 4), ipfi_get32(p + 8), ipfi_get32(p + 12));
}

/* The IPv4 header at @at with its options. No packet comes from many (RFC 1122 section 3.2.1.3). */
static int read_ipv4(const struct extent *packet, u32 at, struct ipfi_tuple *tuple,
		     struct network *net)
{
	const u8 *ip = packet->data + at;
	u32 header, fragment;
	int lack;

	lack = need(packet, at + IPV4_HEADER);
	if (lack)
		return lack;
	header = (ip[0] & 0x0f) * 4U;
	if (ip[0] >> 4 != 4 || header < IPV4_HEADER)
		return -IPFI_REASON_BAD_HEADER;
	lack = need(packet, at + header);
	if (lack)
		return lack;

	fragment = ipfi_get16(ip + 6);
	net->transport = at + header;
	net->length = ipfi_get16(ip + 2);
	net->proto = ip[9];
	net->first = fragment & IPV4_MORE_FRAGMENTS;
	net->later = fragment & IPV4_FRAGMENT_OFFSET;

	read_ipv4_addr(&tuple->src, ip + 12);
	read_ipv4_addr(&tuple->dst, ip + 16);
	tuple->family = 4;
	if (tuple->src.w[0] >> 28 == 0xe || tuple->src.w[0] == 0xffffffff)
		return -IPFI_REASON_BAD_HEADER;
	return 0;
}

/* The IPv6 header at @at, no extensions. No packet comes from many (RFC 4291 section 2.7). */
static int read_ipv6(const struct extent *packet, u32 at, struct ipfi_tuple *tuple,
		     struct network *net)
{
	const u8 *ip = packet->data + at;
	int lack;

	lack = need(packet, at + IPV6_HEADER);
	if (lack)
		return lack;
	if (ip[0] >> 4 != 6)
		return -IPFI_REASON_BAD_HEADER;

	net->transport = at + IPV6_HEADER;
	net->length = IPV6_HEADER + ipfi_get16(ip + 4);
	net->proto = ip[6];
	net->first = false;
	net->later = false;

	read_ipv6_addr(&tuple->src, ip + 8);
	read_ipv6_addr(&tuple->dst, ip + 24);
	tuple->family = 6;
	if (tuple->src.w[0] >> 24 == 0xff)
		return -IPFI_REASON_BAD_HEADER;
	return 0;
}

/*
 * Moves @net past the IPv6 extension headers (RFC 8200 section 4, RFC 4302). ESP, "no next header"
 * and all else that is no extension header end the chain, and so does a fragment that is not the
 * first.
 */
static int skip_extensions(const struct extent *packet, struct network *net)
{
	const u32 chain = net->transport;
	u32 length, fragment;
	const u8 *header;
	int count, lack;

	for (count = 0;; count++) {
		switch (net->proto) {
		case HOP_BY_HOP:
		case ROUTING:
		case FRAGMENT:
		case AUTHENTICATION:
		case DESTINATION:
			break;
		default:
			return 0;
		}
		if (count == EXTENSIONS_MAX ||
		    (net->proto == HOP_BY_HOP && net->transport != chain))
			return -IPFI_REASON_BAD_HEADER;
		/* None is shorter. */
		lack = need(packet, net->transport + 8);
		if (lack)
			return lack;
		header = packet->data + net->transport;
		switch (net->proto) {
		case FRAGMENT:
			length = 8;
			fragment = ipfi_get16(header + 2);
			net->first |= fragment & IPV6_MORE_FRAGMENTS;
			net->later = fragment & IPV6_FRAGMENT_OFFSET;
			break;
		case AUTHENTICATION:
			length = (header[1] + 2) * 4U;
			if (length < AH_HEADER)
				return -IPFI_REASON_BAD_HEADER;
			break;
		default:
			length = (header[1] + 1) * 8U;
		}
		if (length > packet->end - net->transport)
			return -IPFI_REASON_TRUNCATED;
		net->transport += length;
		net->proto = header[0];
		if (net->later)
			return 0;
	}
}

/* Nobody speaks from or to port 0, which all transport protocols reserve (RFC 6335 section 6). */
static int read_tcp(const struct extent *extent, struct ipfi_packet *packet)
{
	const u8 *tcp = extent->data + packet->transport;
	u32 header;
	int lack;

	lack = need(extent, packet->transport + TCP_HEADER);
	if (lack)
		return lack;
	header = (tcp[12] >> 4) * 4U;
	if (header < TCP_HEADER)
		return -IPFI_REASON_BAD_HEADER;
	lack = need(extent, packet->transport + header);
	if (lack)
		return lack;

	packet->tuple.ports = ipfi_pair16(ipfi_get16(tcp), ipfi_get16(tcp + 2));
	packet->has_ports = 1;
	packet->seq = ipfi_get32(tcp + 4);
	packet->ack = ipfi_get32(tcp + 8);
	packet->tcp_flags = tcp[13];
	packet->window = ipfi_get16(tcp + 14);
	packet->tcp_options = tcp + TCP_HEADER;
	packet->tcp_options_length = (u8)(header - TCP_HEADER);
	packet->payload = extent->end - packet->transport - header;
	if (!packet->tuple.sport || !packet->tuple.dport)
		return -IPFI_REASON_BAD_HEADER;
	return ipfi_tcp_flags_bad(packet->tcp_flags) ? -IPFI_REASON_TCP_FLAGS : 0;
}

/*
 * UDP and UDP-Lite (RFC 3828), which has in the length's place the number of bytes that its
 * checksum covers, 0 for all. Only here port 0 is a source's, one that wants no answer (RFC 768). A
 * first fragment has less than its datagram.
 */
static int read_udp(const struct extent *extent, const struct network *net,
		    struct ipfi_packet *packet)
{
	const u8 *udp = extent->data + packet->transport;
	u32 length;
	int lack;

	lack = need(extent, packet->transport + UDP_HEADER);
	if (lack)
		return lack;
	packet->tuple.ports = ipfi_pair16(ipfi_get16(udp), ipfi_get16(udp + 2));
	packet->has_ports = 1;
	if (!packet->tuple.dport)
		return -IPFI_REASON_BAD_HEADER;

	length = ipfi_get16(udp + 4);
	if (net->proto == IPFI_PROTO_UDPLITE && length == 0)
		return 0;
	if (length < UDP_HEADER)
		return -IPFI_REASON_BAD_HEADER;
	if (length > extent->end - packet->transport && !net->first)
		return -IPFI_REASON_TRUNCATED;
	return 0;
}

/* SCTP (RFC 9260) and DCCP (RFC 4340) begin with their ports, as the others do. */
static int read_ports(const struct extent *extent, u32 header, struct ipfi_packet *packet)
{
	const u8 *transport = extent->data + packet->transport;
	int lack;

	lack = need(extent, packet->transport + header);
	if (lack)
		return lack;
	packet->tuple.ports = ipfi_pair16(ipfi_get16(transport), ipfi_get16(transport + 2));
	packet->has_ports = 1;
	return packet->tuple.sport && packet->tuple.dport ? 0 : -IPFI_REASON_BAD_HEADER;
}

/*
 * The packet quoted at @at by an ICMP error. Of its own length no more is asked than the quote:
 * routers cut it. What cannot belong to a live state, because nothing of it opens or continues one,
 * has family 0.
 */
static int read_inner(const struct extent *extent, u32 at, struct ipfi_packet *packet)
{
	struct ipfi_tuple *inner = &packet->inner;
	struct network net;
	const u8 *quoted;
	u8 kind;
	int err;

	if (packet->tuple.family == 4) {
		err = read_ipv4(extent, at, inner, &net);
	} else {
		err = read_ipv6(extent, at, inner, &net);
		if (!err)
			err = skip_extensions(extent, &net);
	}
	if (err)
		return err;
	packet->inner_at = at;
	packet->inner_transport = net.transport;
	packet->inner_icmp_kind = IPFI_ICMP_NONE;
	inner->proto = net.proto;
	inner->sport = 0;
	inner->dport = 0;
	inner->src_vrf = 0;
	inner->dst_vrf = 0;
	if (net.later) {
		inner->family = 0;
		return 0;
	}

	quoted = extent->data + net.transport;
	switch (net.proto) {
	case IPFI_PROTO_TCP:
	case IPFI_PROTO_UDP:
	case IPFI_PROTO_UDPLITE:
	case IPFI_PROTO_SCTP:
	case IPFI_PROTO_DCCP:
		err = need(extent, net.transport + QUOTED);
		if (err)
			return err;
		inner->sport = ipfi_get16(quoted);
		inner->dport = ipfi_get16(quoted + 2);
		if (net.proto == IPFI_PROTO_TCP)
			packet->inner_seq = ipfi_get32(quoted + 4);
		return 0;
	}
	if (!is_icmp(inner))
		return 0;

	err = need(extent, net.transport + QUOTED);
	if (err)
		return err;
	kind = ipfi_icmp_kind(inner->family, quoted[0]);
	if (kind == IPFI_ICMP_QUERY || kind == IPFI_ICMP_REPLY) {
		icmp_ports(inner, quoted, kind);
		packet->inner_icmp_kind = kind;
	} else {
		/* Neither an error nor a signal opens a state. */
		inner->family = 0;
	}
	return 0;
}

/* ICMP (RFC 792) and ICMPv6 (RFC 4443). */
static int read_icmp(const struct extent *extent, struct ipfi_packet *packet)
{
	const u8 *icmp = extent->data + packet->transport;
	int lack;

	lack = need(extent, packet->transport + ICMP_HEADER);
	if (lack)
		return lack;
	packet->icmp = ipfi_get16(icmp);
	packet->icmp_kind = ipfi_icmp_kind(packet->tuple.family, icmp[0]);
	switch (packet->icmp_kind) {
	case IPFI_ICMP_QUERY:
	case IPFI_ICMP_REPLY:
		icmp_ports(&packet->tuple, icmp, packet->icmp_kind);
		return 0;
	case IPFI_ICMP_ERROR:
		return read_inner(extent, packet->transport + ICMP_HEADER, packet);
	default:
		return 0;
	}
}

/* What a packet is that has no transport header that we know. */
static void set_nothing(struct ipfi_packet *packet)
{
	packet->tuple.ports = 0;
	packet->tuple.kind = 0;
	packet->icmp = 0;
	packet->icmp_kind = IPFI_ICMP_NONE;
	packet->has_ports = 0;
	packet->tcp_flags = 0;
	packet->tcp_options_length = 0;
	packet->window = 0;
	packet->seq = 0;
	packet->ack = 0;
	packet->payload = 0;
	packet->tcp_options = NULL;
	packet->inner.family = 0;
	packet->inner_seq = 0;
	packet->inner_at = 0;
	packet->inner_transport = 0;
	packet->inner_icmp_kind = IPFI_ICMP_NONE;
	packet->unrelated = 0;
}

int ipfi_packet_parse(struct ipfi_packet *packet, const u8 *data, u32 avail, u32 total,
		      bool unsized)
{
	struct extent extent = { data, avail < total ? avail : total, total };
	struct network net;
	int err;

	err = need(&extent, IPV4_HEADER);
	if (err)
		return err;
	set_nothing(packet);

	switch (data[0] >> 4) {
	case 4:
		err = read_ipv4(&extent, 0, &packet->tuple, &net);
		if (err)
			return err;
		packet->hop_limit = data[8];
		packet->dscp = data[1] >> 2;
		if (net.length == 0 && unsized)
			net.length = total;
		break;
	case 6:
		err = read_ipv6(&extent, 0, &packet->tuple, &net);
		if (err)
			return err;
		packet->hop_limit = data[7];
		packet->dscp = (u8)(ipfi_get16(data) >> 6 & 0x3f);
		/* Jumbograms (RFC 2675) exist inside the machine only, as aggregates. */
		if (net.length == IPV6_HEADER && unsized)
			net.length = total;
		break;
	default:
		return -IPFI_REASON_BAD_HEADER;
	}

	if (net.length < net.transport)
		return -IPFI_REASON_BAD_HEADER;
	if (net.length > total)
		return -IPFI_REASON_TRUNCATED;
	extent.end = net.length;
	if (extent.avail > extent.end)
		extent.avail = extent.end;
	packet->length = net.length;

	if (packet->tuple.family == 6) {
		err = skip_extensions(&extent, &net);
		if (err)
			return err;
	}
	if (net.later)
		return -IPFI_REASON_FRAGMENT;
	packet->tuple.kind = ipfi_pair16(ipfi_pair8(net.proto, packet->tuple.family), 0);
	packet->transport = (u16)net.transport;

	switch (net.proto) {
	case IPFI_PROTO_TCP:
		return read_tcp(&extent, packet);
	case IPFI_PROTO_UDP:
	case IPFI_PROTO_UDPLITE:
		return read_udp(&extent, &net, packet);
	case IPFI_PROTO_SCTP:
		return read_ports(&extent, SCTP_HEADER, packet);
	case IPFI_PROTO_DCCP:
		return read_ports(&extent, DCCP_HEADER, packet);
	}
	return is_icmp(&packet->tuple) ? read_icmp(&extent, packet) : 0;
}

/* Is it fe80::/10, or :: where @unspecified may stand too? */
static bool is_link_local(const struct ipfi_addr *addr, bool unspecified)
{
	if (addr->w[0] >> 22 == 0xfe80 >> 6)
		return true;
	return unspecified && !(addr->w[0] | addr->w[1] | addr->w[2] | addr->w[3]);
}

bool ipfi_packet_is_neighbour(const struct ipfi_packet *packet)
{
	if (packet->tuple.family != 6 || packet->icmp_kind != IPFI_ICMP_SIGNAL)
		return false;
	switch (packet->icmp >> 8) {
	case 130: /* listener query, report, done; report of version 2 */
	case 131:
	case 132:
	case 143:
		/*
		 * A hop limit of 1 alone can be had from afar; a source that no router forwards
		 * cannot. A node that has no address yet reports from :: (RFC 3590).
		 */
		return packet->hop_limit == 1 && is_link_local(&packet->tuple.src, true);
	case 133: /* router solicitation, neighbour solicitation and advertisement */
	case 135:
	case 136:
		return packet->hop_limit == 255 && !(packet->icmp & 0xff);
	case ICMPV6_ROUTER_ADVERTISEMENT:
	case ICMPV6_REDIRECT:
		return packet->hop_limit == 255 && !(packet->icmp & 0xff) &&
		       is_link_local(&packet->tuple.src, false);
	default:
		return false;
	}
}
