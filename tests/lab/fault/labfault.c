// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults made on purpose, so that tests/lab/selftest can show that a guest reports them:
 * insmod labfault.ko what=warn|oops|panic|leak|sleep|deadlock|overrun. Never part of what is installed.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *what = "";
module_param(what, charp, 0444);

static DEFINE_SPINLOCK(first);
static DEFINE_SPINLOCK(second);

/* Two locks taken in both orders: no deadlock happens, lockdep alone can tell that one could. */
static void fault_deadlock(void)
{
	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);

	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
}

/* Nobody keeps the pointer, so only kmemleak knows the object. */
static void fault_leak(void)
{
	char *object = kmalloc(96, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(object);
}

static void fault_sleep(void)
{
	spin_lock(&first);
	msleep(20);
	spin_unlock(&first);
}

static void fault_overrun(void)
{
	char *object = kmalloc(24, GFP_KERNEL);
	size_t past = 24;

	if (!object)
		return;
	OPTIMIZER_HIDE_VAR(past);
	WRITE_ONCE(object[past], 1);
	kfree(object);
}

static int __init labfault_init(void)
{
	static const struct {
		const char *name;
		void (*fault)(void);
	} faults[] = {
		{ "deadlock", fault_deadlock },
		{ "leak", fault_leak },
		{ "sleep", fault_sleep },
		{ "overrun", fault_overrun },
	};
	unsigned int i;

	if (!strcmp(what, "warn"))
		WARN(1, "labfault: made on purpose\n");
	if (!strcmp(what, "panic"))
		panic("labfault: made on purpose\n");
	if (!strcmp(what, "oops"))
		WRITE_ONCE(*(volatile int *)16, 1);
	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (!strcmp(what, faults[i].name))
			faults[i].fault();
	return 0;
}

static void __exit labfault_exit(void)
{
}

module_init(labfault_init);
module_exit(labfault_exit);
MODULE_DESCRIPTION("Faults made on purpose, for the tests of the test guests");
MODULE_LICENSE("GPL");
