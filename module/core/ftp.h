/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FTP: what a control connection announces (RFC 959, RFC 2428), read from both of its streams.
 *
 * The streams are put together from segments line by line, and only a line that has come to its end
 * is looked at: "227 ... (10,0,0,1,4,2" and "10)" in two segments announce port 4 * 256 + 210. The
 * client announces by PORT or EPRT, the server by its answers 227 and 229, which count only where
 * the client has asked (PASV, EPSV) and the answer is still owed.
 */
#ifndef IPFI_CORE_FTP_H
#define IPFI_CORE_FTP_H

#include "module/core/flow.h"
#include "module/core/tuple.h"

#define IPFI_FTP_LINE 512 /* bytes of the longest line that is looked at */
#define IPFI_FTP_TEXT 64  /* room for an address and port; 49 bytes is the longest text of one */
#define IPFI_FTP_HELD 64  /* the most that ipfi_ftp_pending() asks to hold back */

/* How an announcement is written. */
enum ipfi_ftp_form {
	IPFI_FTP_NONE,
	IPFI_FTP_PORT, /* the client's h1,h2,h3,h4,p1,p2 */
	IPFI_FTP_EPRT, /* the client's |family|address|port| */
	IPFI_FTP_PASV, /* the server's 227: h1,h2,h3,h4,p1,p2 */
	IPFI_FTP_EPSV, /* the server's 229: |||port|; the address is that of its own end */
};

/* One side's stream. */
struct ipfi_ftp_side {
	u32 next;   /* sequence number of the next byte to be read */
	u16 length; /* of the line so far, at most IPFI_FTP_LINE */
	u8 flags;   /* of ftp.c */
	u8 line[IPFI_FTP_LINE];
};

/* A control connection. */
struct ipfi_ftp {
	struct ipfi_ftp_side sides[2]; /* of the client IPFI_ORIGINAL, of the server IPFI_REPLY */
	u16 multiline; /* code of the reply of several lines that has begun, 0 for none */
	u8 commands;   /* that have no final reply yet */
	u8 pasv;       /* PASV that have no 227 yet */
	u8 epsv;
};

/* What a line announced. */
struct ipfi_ftp_finding {
	u8 form;    /* enum ipfi_ftp_form */
	u8 reason;  /* 0; or FTP_SYNTAX, FTP_UNASKED: not to be believed, the rest is 0 */
	u8 family;  /* of addr: 4 or 6; 0 for EPSV, which has none */
	u16 port;   /* never 0 */
	u16 length; /* of the text that an address translation rewrites, as it was sent ... */
	u32 seq;    /* ... and its first byte */
	struct ipfi_addr addr;
};

/* Begins a control connection of which nothing is known. */
void ipfi_ftp_init(struct ipfi_ftp *ftp);

/*
 * The first byte that the side of @from will send is @seq: to be called at its SYN or SYN+ACK, with
 * the number behind it; without effect once data has been read. A side that was not started starts
 * at its first data, which then counts as the beginning of a line.
 */
void ipfi_ftp_start(struct ipfi_ftp *ftp, enum ipfi_direction from, u32 seq);

/*
 * Can a segment of @from that begins at @seq be read now? Not if bytes are missing before it:
 * whoever gets false drops the segment, and has it again when its sender repeats what is missing.
 */
bool ipfi_ftp_in_order(const struct ipfi_ftp *ftp, enum ipfi_direction from, u32 seq);

/* How many of the @length bytes of @from from @seq on have been read before. */
u32 ipfi_ftp_seen(const struct ipfi_ftp *ftp, enum ipfi_direction from, u32 seq, u32 length);

/*
 * Reads @length bytes of @from's stream, the first of which is @seq; ipfi_ftp_in_order() was asked.
 * What was read before is passed over. Stops behind a line that announces, with found->form set
 * (IPFI_FTP_NONE otherwise). Returns the number of bytes done with, at least 1 unless @length is 0;
 * the caller comes back with the rest.
 */
u32 ipfi_ftp_feed(struct ipfi_ftp *ftp, enum ipfi_direction from, u32 seq, const u8 *data,
		  u32 length, struct ipfi_ftp_finding *found);

/*
 * The receiver of @from's stream has all of it before @ack. What of that has not been read went another way: reading
 * goes on at @ack, with the line that begins after the next end of a line, and a reply of several lines counts as ended.
 */
void ipfi_ftp_acknowledged(struct ipfi_ftp *ftp, enum ipfi_direction from, u32 ack);

/*
 * What has come of @from's line under way is not looked at, nor is the rest of it: it has gone out as it was sent.
 */
void ipfi_ftp_skip_line(struct ipfi_ftp *ftp, enum ipfi_direction from);

/*
 * Why an announcement by @sender, of @family, is not to be believed: 0, found->reason,
 * IPFI_REASON_FTP_FOREIGN (another address than its sender's, unless @foreign; of another family in
 * any case), or IPFI_REASON_FTP_PORT (a port below 1024, RFC 2577 section 3).
 */
u8 ipfi_ftp_validate(const struct ipfi_ftp_finding *found, u8 family, const struct ipfi_addr *sender,
		    bool foreign);

/*
 * A server behind a translation that knows nothing of FTP answers PASV with an address of its inside. Clients that have
 * met such servers take the port alone and go to the address that they speak with. True if @found, on a connection of
 * @family, may be such an answer: *own is what these clients make of it.
 */
bool ipfi_ftp_own_end(const struct ipfi_ftp_finding *found, u8 family, struct ipfi_ftp_finding *own);

/*
 * Of the line of @from that has not ended yet: the bytes at its end, 1 to IPFI_FTP_HELD, that can
 * be (the beginning of) an address and port, and what follows these; NULL without such. To be asked
 * after a segment has been read, where these are translated: they must not leave before they are
 * known (ipfi_seqadj_hold()). A line of which more would have to be held is given up and
 * announces nothing. The answer is good until the next call with @ftp.
 */
const u8 *ipfi_ftp_pending(struct ipfi_ftp *ftp, enum ipfi_direction from, u32 *seq, u32 *length);

/*
 * Writes the text for found->seq and found->length with another address and port. IPv6 as RFC 5952
 * wants it. Returns its length; 0 where @form cannot say it (an IPv6 address in PORT or PASV).
 * @family and @addr are not looked at for IPFI_FTP_EPSV.
 */
unsigned int ipfi_ftp_write(enum ipfi_ftp_form form, u8 family, const struct ipfi_addr *addr,
			    u16 port, u8 text[IPFI_FTP_TEXT]);

#endif /* IPFI_CORE_FTP_H */
