// SPDX-License-Identifier: GPL-2.0
/*
 * Root buses of our own. Each has a PCI domain, and two windows in the upper
 * half of the physical address space, where nothing is: nobody ever maps them.
 */
#include <linux/dma-map-ops.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <asm/pci.h>
#include <asm/processor.h>

#include "compat.h"
#include "function.h"

#define FIRST_DOMAIN	0x10000
#define LOW_BUS_ADDRESS	0x80000000ULL	/* for BARs of 32 bits */
#define LOW_BYTES	SZ_1G
#define HIGH_BYTES	(64ULL * SZ_1G)

struct lens_bus {
	struct list_head list;
	u32 key;
	u32 users;
	struct pci_sysdata sysdata;
	struct pci_bus *root;
	struct resource numbers;
	struct resource low;
	struct resource high;
	struct lens_function __rcu *function[256];
};

static LIST_HEAD(lens_buses);
static DEFINE_MUTEX(lens_buses_lock);

static int lens_window(struct resource *window, const char *name, u64 size)
{
	u64 top = 1ULL << boot_cpu_data.x86_phys_bits;

	window->name = name;
	window->flags = IORESOURCE_MEM;
	return allocate_resource(&iomem_resource, window, size, top / 2, top - 1, SZ_1G,
				 NULL, NULL);
}

static struct lens_bus *lens_bus_create(u32 key)
{
	struct lens_bus *bus;
	LIST_HEAD(resources);
	int err;

	bus = kzalloc(sizeof(*bus), GFP_KERNEL);
	if (!bus)
		return ERR_PTR(-ENOMEM);
	bus->key = key;
	bus->users = 1;
	err = lens_window(&bus->low, "pcilens", LOW_BYTES);
	if (err)
		goto err_free;
	err = lens_window(&bus->high, "pcilens 64 bit", HIGH_BYTES);
	if (err)
		goto err_low;
	bus->high.flags |= IORESOURCE_MEM_64;
	bus->numbers.name = "pcilens bus";
	bus->numbers.flags = IORESOURCE_BUS;
	bus->sysdata.node = NUMA_NO_NODE;
	bus->sysdata.domain = FIRST_DOMAIN;
	while (pci_find_bus(bus->sysdata.domain, 0))
		bus->sysdata.domain++;

	pci_add_resource(&resources, &bus->numbers);
	pci_add_resource_offset(&resources, &bus->low, bus->low.start - LOW_BUS_ADDRESS);
	pci_add_resource(&resources, &bus->high);
	pci_lock_rescan_remove();
	bus->root = pci_create_root_bus(NULL, 0, &lens_pci_ops, &bus->sysdata, &resources);
	if (bus->root)
		pci_bus_add_devices(bus->root);
	pci_unlock_rescan_remove();
	if (!bus->root) {
		pci_free_resource_list(&resources);
		err = -ENOMEM;
		goto err_high;
	}
	return bus;

err_high:
	release_resource(&bus->high);
err_low:
	release_resource(&bus->low);
err_free:
	kfree(bus);
	return ERR_PTR(err);
}

/* The bus of that key, made where there is none; key 0 is always a new one. */
static struct lens_bus *lens_bus_get(u32 key)
{
	struct lens_bus *bus;

	mutex_lock(&lens_buses_lock);
	if (key) {
		list_for_each_entry(bus, &lens_buses, list) {
			if (bus->key == key) {
				bus->users++;
				goto out;
			}
		}
	}
	bus = lens_bus_create(key);
	if (!IS_ERR(bus))
		list_add(&bus->list, &lens_buses);
out:
	mutex_unlock(&lens_buses_lock);
	return bus;
}

void lens_bus_put(struct lens_bus *bus)
{
	struct device *bridge;

	mutex_lock(&lens_buses_lock);
	if (--bus->users) {
		mutex_unlock(&lens_buses_lock);
		return;
	}
	list_del(&bus->list);
	bridge = bus->root->bridge;
	pci_lock_rescan_remove();
	pci_stop_root_bus(bus->root);
	pci_remove_root_bus(bus->root);
	pci_unlock_rescan_remove();
	/* The reference of pci_create_root_bus(), which nothing above gives back. */
	put_device(bridge);
	release_resource(&bus->high);
	release_resource(&bus->low);
	mutex_unlock(&lens_buses_lock);
	kfree(bus);
}

/* The device that stands for the function now; a rescan makes a new one. */
static struct pci_dev *lens_bus_device(struct lens_function *fn)
{
	struct lens_bus *bus = smp_load_acquire(&fn->bus);	/* pairs with lens_bus_plug() */

	return bus ? pci_get_slot(bus->root, fn->devfn) : NULL;
}

struct lens_function *lens_bus_function(struct pci_bus *pci, unsigned int devfn)
{
	struct lens_bus *bus = container_of(pci->sysdata, struct lens_bus, sysdata);

	if (devfn > 255)
		return NULL;
	return lens_get(&bus->function[devfn]);
}

struct lens_function *lens_device_function(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);

	return lens_bus_function(pdev->bus, pdev->devfn);
}

/* Whether @phys lies in a BAR of @fn, as config space has it now. Lock-free. */
bool lens_bus_has(struct lens_function *fn, phys_addr_t phys, int *bar, u64 *offset)
{
	struct lens_bus *bus = smp_load_acquire(&fn->bus);	/* pairs with lens_bus_plug() */
	u64 address = phys;
	int i;

	*bar = 0;
	*offset = 0;
	if (!bus)
		return false;
	if (phys >= bus->low.start && phys <= bus->low.end)
		address = phys - bus->low.start + LOW_BUS_ADDRESS;
	else if (phys < bus->high.start || phys > bus->high.end)
		return false;
	for (i = 0; i < PCILENS_BARS; i++) {
		u64 start = lens_config_bar(fn, i);

		if (!fn->bar[i].size || address < start || address - start >= fn->bar[i].size)
			continue;
		WRITE_ONCE(fn->bar[i].mapped, start);
		*bar = i;
		*offset = address - start;
		return true;
	}
	return false;
}

/* PCILENS_PLUGGED or PCILENS_UNBOUND. */
static void lens_emit_bus(struct lens_function *fn, u16 kind, u64 aux)
{
	struct pcilens_event event = {
		.kind = kind, .bar = PCILENS_BAR_CONFIG, .aux = aux,
	};
	struct lens_site site;

	lens_site_init(&site, 0);
	site.may_sleep = false;	/* the caller may be the one who empties the ring */
	lens_emit(fn, &site, &event, false);
}

/* Scans, with the PCI core's lock held. The device comes back with a reference. */
static struct pci_dev *lens_bus_scan(struct lens_function *fn, struct pcilens_plug *plug)
{
	struct lens_bus *bus = fn->bus;
	struct pci_dev *pdev;
	int i;

	if (rcu_access_pointer(bus->function[fn->devfn]))
		return ERR_PTR(-EEXIST);
	kref_get(&fn->ref);
	rcu_assign_pointer(bus->function[fn->devfn], fn);
	WRITE_ONCE(fn->plugged, true);
	pdev = pci_scan_single_device(bus->root, fn->devfn);
	if (!pdev) {
		RCU_INIT_POINTER(bus->function[fn->devfn], NULL);
		WRITE_ONCE(fn->plugged, false);
		lens_put(fn);
		return ERR_PTR(-ENODEV);
	}
	pci_bus_assign_resources(bus->root);
	plug->domain = bus->sysdata.domain;
	plug->bus = bus->root->number;
	plug->devfn = fn->devfn;
	for (i = 0; i < PCILENS_BARS; i++)
		plug->address[i] = fn->bar[i].size ? lens_config_bar(fn, i) : 0;
	lens_emit_bus(fn, PCILENS_PLUGGED, 1);
	/* No driver yet: see below. */
	lens_set_driver_override(pdev, "-");
	pci_bus_add_device(pdev);
	return pci_dev_get(pdev);
}

/*
 * The bus is made here and not when the function is created: it takes the PCI core's
 * lock, which is held for as long as somebody holds another function's scan. Its
 * caller is a worker, which can be left; the thread that creates could not be killed.
 */
int lens_bus_plug(struct lens_function *fn, struct pcilens_plug *plug)
{
	struct pci_dev *pdev;

	if (!fn->bus) {
		struct lens_bus *bus = lens_bus_get(fn->bus_key);

		if (IS_ERR(bus))
			return PTR_ERR(bus);
		smp_store_release(&fn->bus, bus);	/* whole, for the kprobes */
	}
	pci_lock_rescan_remove();
	pdev = lens_bus_scan(fn, plug);
	pci_unlock_rescan_remove();
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	/*
	 * The driver binds without the PCI core's lock: a probe() that is held
	 * for an hour must not stop hotplug in the whole machine.
	 */
	lens_set_driver_override(pdev, NULL);
	if (device_attach(&pdev->dev) < 0)
		pci_warn(pdev, "pcilens: no driver could be bound\n");
	pci_dev_put(pdev);
	return 0;
}

void lens_bus_unplug(struct lens_function *fn)
{
	struct pci_dev *pdev;

	if (!READ_ONCE(fn->plugged))
		return;
	/* Config of a function that is dead is not written any more. */
	if (lens_dead(fn))
		lens_vectors_settle(fn);
	pci_lock_rescan_remove();
	pdev = lens_bus_device(fn);
	if (pdev) {
		pci_stop_and_remove_bus_device(pdev);
		/* Who unmaps later still, on a device that is gone, finds us no more. */
		set_dma_ops(&pdev->dev, NULL);
		pci_dev_put(pdev);
	}
	RCU_INIT_POINTER(fn->bus->function[fn->devfn], NULL);
	pci_unlock_rescan_remove();
	WRITE_ONCE(fn->plugged, false);
	lens_emit_bus(fn, PCILENS_PLUGGED, 0);
	lens_put(fn);
}

static int lens_bus_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);
	struct lens_function *fn;

	if (pdev->bus->ops != &lens_pci_ops)
		return NOTIFY_DONE;
	switch (action) {
	case BUS_NOTIFY_ADD_DEVICE: case BUS_NOTIFY_BIND_DRIVER:
		/* Twice: what the bus sets up before a driver binds would win. */
		lens_dma_attach(&pdev->dev);
		lens_intx_attach(pdev);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER: case BUS_NOTIFY_DRIVER_NOT_BOUND:
		fn = lens_device_function(&pdev->dev);
		if (fn) {
			lens_vectors_forget(fn);
			/* Where a probe has failed, devres is not given back yet. */
			if (action == BUS_NOTIFY_UNBOUND_DRIVER)
				lens_emit_bus(fn, PCILENS_UNBOUND, 0);
			lens_put(fn);
		}
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block lens_bus_notifier = {
	.notifier_call = lens_bus_notify,
};

int lens_bus_init(void)
{
	return bus_register_notifier(&pci_bus_type, &lens_bus_notifier);
}

void lens_bus_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &lens_bus_notifier);
}
