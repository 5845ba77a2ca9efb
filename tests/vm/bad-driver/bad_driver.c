// SPDX-License-Identifier: GPL-2.0
/*
 * A driver for the edu device that is broken in the way that its parameter says.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

static char *does = "work";
module_param(does, charp, 0444);
MODULE_PARM_DESC(does, "what probe() does: work, warn, oops, panic, fail (before it has touched the device)");

static int bad_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	void __iomem *registers;
	int err;

	if (!strcmp(does, "fail"))
		return -EIO;
	err = pcim_enable_device(pdev);
	if (err)
		return err;
	err = pcim_iomap_regions(pdev, BIT(0), KBUILD_MODNAME);
	if (err)
		return err;
	registers = pcim_iomap_table(pdev)[0];
	dev_info(&pdev->dev, "the device says %x\n", readl(registers));

	if (!strcmp(does, "warn"))
		WARN(1, "this driver was told to warn\n");
	if (!strcmp(does, "oops"))
		writel_relaxed(1, (void __iomem *)NULL);
	if (!strcmp(does, "panic"))
		panic("this driver was told to panic");
	return 0;
}

static const struct pci_device_id bad_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, bad_ids);

static struct pci_driver bad_driver = {
	.name = KBUILD_MODNAME,
	.id_table = bad_ids,
	.probe = bad_probe,
};
module_pci_driver(bad_driver);

MODULE_DESCRIPTION("A broken driver for the edu device");
MODULE_AUTHOR("The pcilens developers");
MODULE_LICENSE("GPL");
