// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: the module itself, as the built-in engine runs it: requests of netlink, packets and time in any
 * order. The input is a row of steps: what to do (enum step, STEP_OTHER), two bytes with the length of its data, the
 * data. The engine ends the program where the module would hang or corrupt a kernel; what a kernel would only warn of
 * is looked for in its log.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "check.h"
#include "shell/engine/engine.h"

enum step { STEP_REQUEST, STEP_DUMP, STEP_IN, STEP_OUT, STEP_FORWARD, STEP_ADVANCE, STEP_RECEIVE, STEP_REOPEN, STEPS };
#define STEP_OTHER 0x80 /* the other connection, the other device */

#define FAMILY (GENL_ID_CTRL + 0x10) /* what the engine gives the module's */
#define GROUP 0x10
#define STEPS_MOST 400
#define MESSAGE_MOST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct engine_world *world;
static struct engine_socket *sockets[2];

static struct engine_socket *open_socket(void)
{
	struct engine_socket *socket = engine_socket_open(world);

	CHECK(socket);
	for (uint32_t group = 0; group < 3; group++)
		CHECK(engine_socket_join(socket, GROUP + group) == 0);
	return socket;
}

static void begin(void)
{
	static const struct engine_settings settings = { .seed = 1, .time = 1 };
	static const struct engine_address outer[] = { { 4, 24, { 192, 0, 2, 1 } },
						       { 6, 64, { 0x20, 1, 0xd, 0xb8, [15] = 1 } } };
	static const struct engine_address inner[] = { { 4, 24, { 10, 0, 0, 1 } },
						       { 6, 64, { 0xfd, [15] = 1 } } };
	static const struct engine_device devices[] = {
		{ .name = "eth0", .addresses = outer, .address_count = 2, .standard = true },
		{ .name = "eth1", .addresses = inner, .address_count = 2 },
	};

	CHECK(engine_world_new(&settings, &world) == 0);
	for (size_t i = 0; i < 2; i++)
		CHECK(engine_set_device(world, &devices[i]) > 0);
	for (size_t i = 0; i < 2; i++)
		sockets[i] = open_socket();
}

static void receive(struct engine_socket *socket)
{
	static uint8_t buffer[128 * 1024];

	for (int got = 1; got > 0;)
		got = engine_socket_receive(socket, buffer, sizeof(buffer));
}

static void end(void)
{
	const char *line;

	while ((line = engine_said(world)))
		CHECK(!strstr(line, "WARNING"));
	engine_socket_close(sockets[0]);
	engine_world_free(world);
	receive(sockets[1]);
	engine_socket_close(sockets[1]);
}

static void request(struct engine_socket *socket, const uint8_t *data, size_t len, uint16_t flags)
{
	static uint8_t message[NLMSG_HDRLEN + MESSAGE_MOST];
	const struct nlmsghdr header = {
		.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len),
		.nlmsg_type = FAMILY,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
		.nlmsg_seq = 1,
	};

	memcpy(message, &header, sizeof(header));
	memcpy(message + NLMSG_HDRLEN, data, len);
	CHECK(engine_socket_send(socket, message, header.nlmsg_len) == 0);
}

static void pass(enum engine_list list, bool other, const uint8_t *data, size_t len)
{
	const struct engine_packet packet = {
		.list = list,
		.data = data,
		.len = len,
		.iif = other ? "eth1" : "eth0",
		.oif = list == ENGINE_IN ? NULL : other ? "eth0" : list == ENGINE_OUT ? NULL : "eth1",
		.has_user = other,
	};
	struct engine_outcome outcome;
	struct engine_answer answer;
	uint8_t last = 0;

	if (engine_pass(world, &packet, &outcome) != 0)
		return;
	/* All of what came out is there. */
	for (size_t i = 0; i < outcome.len; i++)
		last ^= outcome.data[i];
	while (engine_next_answer(world, &answer))
		for (size_t i = 0; i < answer.len; i++)
			last ^= answer.data[i];
	__asm__ __volatile__("" ::"r"(last));
}

static void do_step(uint8_t step, const uint8_t *data, size_t len)
{
	const bool other = step & STEP_OTHER;

	switch ((enum step)((step & ~STEP_OTHER) % STEPS)) {
	case STEP_REQUEST:
		request(sockets[other], data, len, 0);
		break;
	case STEP_DUMP:
		request(sockets[other], data, len, NLM_F_DUMP);
		break;
	case STEP_IN:
		pass(ENGINE_IN, other, data, len);
		break;
	case STEP_OUT:
		pass(ENGINE_OUT, other, data, len);
		break;
	case STEP_FORWARD:
		pass(ENGINE_FORWARD, other, data, len);
		break;
	case STEP_ADVANCE:
		engine_advance(world, (len ? data[0] : 1) * (uint64_t)(other ? 1000000000 : 10000000));
		break;
	case STEP_RECEIVE:
		receive(sockets[other]);
		break;
	case STEP_REOPEN:
		engine_socket_close(sockets[other]);
		sockets[other] = open_socket();
		break;
	case STEPS:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	begin();
	for (unsigned int steps = 0; size >= 3 && steps < STEPS_MOST; steps++) {
		size_t len = data[1] | (size_t)data[2] << 8;

		if (len > size - 3)
			len = size - 3;
		do_step(data[0], data + 3, len);
		data += 3 + len;
		size -= 3 + len;
	}
	end();
	return 0;
}
