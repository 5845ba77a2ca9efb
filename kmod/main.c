// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading. */
#include <linux/module.h>
#include <linux/workqueue.h>

#include "function.h"

static int __init lens_init(void)
{
	int err;

	lens_workqueue = alloc_workqueue("pcilens", WQ_UNBOUND, LENS_FUNCTIONS);
	if (!lens_workqueue)
		return -ENOMEM;
	err = lens_rescue_init();
	if (err)
		goto err_workqueue;
	err = lens_trap_init();
	if (err)
		goto err_rescue;
	err = lens_fixup_init();
	if (err)
		goto err_trap;
	err = lens_remap_init();
	if (err)
		goto err_fixup;
	err = lens_user_map_init();
	if (err)
		goto err_remap;
	err = lens_vectors_init();
	if (err)
		goto err_user_map;
	err = lens_bus_init();
	if (err)
		goto err_vectors;
	err = lens_chardev_init();
	if (err)
		goto err_bus;
	return 0;

err_bus:
	lens_bus_exit();
err_vectors:
	lens_vectors_exit();
err_user_map:
	lens_user_map_exit();
err_remap:
	lens_remap_exit();
err_fixup:
	lens_fixup_exit();
err_trap:
	lens_trap_exit();
err_rescue:
	lens_rescue_exit();
err_workqueue:
	destroy_workqueue(lens_workqueue);
	return err;
}

/* No descriptor is open here, but functions may still be on their way out. */
static void __exit lens_exit(void)
{
	lens_chardev_exit();
	flush_workqueue(lens_workqueue);
	lens_bus_exit();
	lens_vectors_exit();
	lens_user_map_exit();
	lens_remap_exit();
	lens_fixup_exit();
	lens_trap_exit();
	lens_rescue_exit();
	/* Frees what was closed last: an access may have had a reference until now. */
	destroy_workqueue(lens_workqueue);
}

module_init(lens_init);
module_exit(lens_exit);

MODULE_DESCRIPTION("pcilens: PCI functions that live in userspace");
MODULE_AUTHOR("The pcilens developers");
MODULE_LICENSE("GPL");
