/*
 * A port whose every answer shows what reached it: registers come back rotated by one, memory is memory, and the
 * arguments of the last call can be read at CALL_RECORD. RAX = FAIL_WITH | errno makes a call return that errno.
 *
 * The tests compile it with these macros to make libraries that are wrong in one way:
 *   FIXTURE_ABI_VERSION=n   tdxv_info reports another interface version
 *   FIXTURE_LP_COUNT=n      tdxv_info reports another number of logical processors
 *   FIXTURE_NO_OPTIONAL     the optional functions are not exported
 *   FIXTURE_OPTIONAL_ENOSYS the optional functions return -ENOSYS
 *   FIXTURE_NO_MEM_READ     a mandatory function is not exported
 *   FIXTURE_OPEN_FAILS      tdxv_open returns -ENODEV
 *   FIXTURE_STRANGE_RESULT  tdxv_reset returns 7, which the interface does not define
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tdxverify_port.h"

#ifndef FIXTURE_ABI_VERSION
#define FIXTURE_ABI_VERSION TDXV_ABI_VERSION
#endif
#ifndef FIXTURE_LP_COUNT
#define FIXTURE_LP_COUNT 3
#endif

#define PAGE_BASE 0x40000000ULL
#define PAGE_COUNT 4ULL
#define CALL_RECORD 0x1000ULL
#define FAIL_WITH 0xE0000000ULL
#define LACKING_LEAF 5 /* TDH.MEM.PAGE.RELOCATE */

enum operation { OP_NONE, OP_RESET, OP_SEAMCALL, OP_SUBMIT, OP_RESULT, OP_ENTER, OP_EXIT, OP_INTERRUPT, OP_LOCK, OP_UNLOCK };

struct record {
	uint64_t operation;
	uint64_t arguments[6];
	struct tdxv_guest_op guest;
	struct tdxv_regs regs;
};

struct tdxv_port {
	struct record last;
	struct tdxv_guest_op guest;
	uint8_t memory[PAGE_COUNT * 4096];
};

static const uint32_t lp_count = FIXTURE_LP_COUNT;

static void record(struct tdxv_port *port, enum operation operation)
{
	memset(&port->last, 0, sizeof(port->last));
	port->last.operation = operation;
}

static int call(struct tdxv_port *port, enum operation operation, uint32_t lp, struct tdxv_regs *io)
{
	uint64_t in[15], out[15];

	record(port, operation);
	port->last.arguments[0] = lp;
	port->last.regs = *io;
	if (lp >= lp_count)
		return -EINVAL;
	if ((io->rax & ~0xFFFULL) == FAIL_WITH)
		return -(int)(io->rax & 0xFFF);
	if (io->rax == LACKING_LEAF)
		return -ENOSYS;

	memcpy(in, io, sizeof(in));
	for (int i = 0; i < 15; i++)
		out[i] = in[(i + 14) % 15];
	memcpy(io, out, sizeof(out));
	return 0;
}

int tdxv_open(struct tdxv_port **out)
{
#ifdef FIXTURE_OPEN_FAILS
	*out = NULL;
	return -ENODEV;
#else
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
#endif
}

void tdxv_close(struct tdxv_port *port)
{
	free(port);
}

int tdxv_info(struct tdxv_port *port, struct tdxv_info *out)
{
	(void)port;
	*out = (struct tdxv_info){
		.abi_version = FIXTURE_ABI_VERSION,
		.lp_count = FIXTURE_LP_COUNT,
		.page_base = PAGE_BASE,
		.page_count = PAGE_COUNT,
		.hkid_first = 34,
		.hkid_count = 7,
		.tdcs_pages = 8,
		.tdvpx_pages = 9,
		.threads = 1,
		.name = "fixture: registers rotated by one",
	};
	return 0;
}

int tdxv_reset(struct tdxv_port *port)
{
	memset(port->memory, 0, sizeof(port->memory));
	record(port, OP_RESET);
#ifdef FIXTURE_STRANGE_RESULT
	return 7;
#else
	return 0;
#endif
}

int tdxv_seamcall(struct tdxv_port *port, uint32_t lp, struct tdxv_regs *io)
{
	return call(port, OP_SEAMCALL, lp, io);
}

int tdxv_guest_submit(struct tdxv_port *port, uint64_t tdvpr_hpa, const struct tdxv_guest_op *operation)
{
	record(port, OP_SUBMIT);
	port->last.arguments[0] = tdvpr_hpa;
	port->last.guest = *operation;
	port->guest = *operation;
	return 0;
}

int tdxv_guest_result(struct tdxv_port *port, uint64_t tdvpr_hpa, struct tdxv_guest_result *out)
{
	record(port, OP_RESULT);
	port->last.arguments[0] = tdvpr_hpa;
	out->completed = port->guest.kind != TDXV_GUEST_ACCESS;
	out->ve = port->guest.kind == TDXV_GUEST_ACCESS;
	out->regs = port->guest.regs;
	return 0;
}

int tdxv_mem_write(struct tdxv_port *port, uint64_t hpa, const void *data, uint64_t length)
{
	if (hpa < PAGE_BASE || hpa + length > PAGE_BASE + sizeof(port->memory))
		return -EINVAL;
	memcpy(port->memory + (hpa - PAGE_BASE), data, length);
	return 0;
}

#ifndef FIXTURE_NO_MEM_READ
int tdxv_mem_read(struct tdxv_port *port, uint64_t hpa, void *data, uint64_t length)
{
	if (hpa == CALL_RECORD && length == sizeof(port->last)) {
		memcpy(data, &port->last, length);
		return 0;
	}
	if (hpa < PAGE_BASE || hpa + length > PAGE_BASE + sizeof(port->memory))
		return -EINVAL;
	memcpy(data, port->memory + (hpa - PAGE_BASE), length);
	return 0;
}
#endif

#ifdef FIXTURE_OPTIONAL_ENOSYS
int tdxv_enter_begin(struct tdxv_port *port, uint32_t lp, struct tdxv_regs *io) { (void)port; (void)lp; (void)io; return -ENOSYS; }
int tdxv_enter_end(struct tdxv_port *port, uint32_t lp, struct tdxv_regs *io) { (void)port; (void)lp; (void)io; return -ENOSYS; }
int tdxv_interrupt(struct tdxv_port *port, int pending) { (void)port; (void)pending; return -ENOSYS; }
int tdxv_lock(struct tdxv_port *port, enum tdxv_lock which, int exclusive, int guest, uint64_t arg, uint64_t arg2)
{ (void)port; (void)which; (void)exclusive; (void)guest; (void)arg; (void)arg2; return -ENOSYS; }
int tdxv_unlock(struct tdxv_port *port, enum tdxv_lock which, int exclusive, int guest, uint64_t arg, uint64_t arg2)
{ (void)port; (void)which; (void)exclusive; (void)guest; (void)arg; (void)arg2; return -ENOSYS; }
#elif !defined(FIXTURE_NO_OPTIONAL)
/* Odd LPs enter the guest; on even ones the call ends before. */
int tdxv_enter_begin(struct tdxv_port *port, uint32_t lp, struct tdxv_regs *io)
{
	int result = call(port, OP_ENTER, lp, io);

	return result ? result : (int)(lp & 1);
}

int tdxv_enter_end(struct tdxv_port *port, uint32_t lp, struct tdxv_regs *io)
{
	return call(port, OP_EXIT, lp, io);
}

int tdxv_interrupt(struct tdxv_port *port, int pending)
{
	record(port, OP_INTERRUPT);
	port->last.arguments[0] = (uint64_t)(int64_t)pending;
	return 0;
}

static int lock(struct tdxv_port *port, enum operation operation, enum tdxv_lock which, int exclusive, int guest,
		uint64_t arg, uint64_t arg2)
{
	record(port, operation);
	port->last.arguments[0] = which;
	port->last.arguments[1] = (uint64_t)(int64_t)exclusive;
	port->last.arguments[2] = (uint64_t)(int64_t)guest;
	port->last.arguments[3] = arg;
	port->last.arguments[4] = arg2;
	if (arg == 0)
		return -EINVAL;
	return which == TDXV_LOCK_EPOCH && operation == OP_LOCK ? -EBUSY : 0;
}

int tdxv_lock(struct tdxv_port *port, enum tdxv_lock which, int exclusive, int guest, uint64_t arg, uint64_t arg2)
{
	return lock(port, OP_LOCK, which, exclusive, guest, arg, arg2);
}

int tdxv_unlock(struct tdxv_port *port, enum tdxv_lock which, int exclusive, int guest, uint64_t arg, uint64_t arg2)
{
	return lock(port, OP_UNLOCK, which, exclusive, guest, arg, arg2);
}
#endif
