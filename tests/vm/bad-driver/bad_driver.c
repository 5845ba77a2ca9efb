// SPDX-License-Identifier: GPL-2.0
/*
 * A driver for the edu device that is broken in the way that its parameter says.
 */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *does = "work";
module_param(does, charp, 0444);
MODULE_PARM_DESC(does, "what probe() does: work, warn, oops, panic, leak, fail (before it has touched the device)");

/* Maps two buffers, and unmaps one. */
static int bad_leak(struct pci_dev *pdev)
{
	void *buffer = devm_kzalloc(&pdev->dev, 2048, GFP_KERNEL);
	dma_addr_t kept, lost;

	if (!buffer)
		return -ENOMEM;
	kept = dma_map_single(&pdev->dev, buffer, 1024, DMA_TO_DEVICE);
	if (dma_mapping_error(&pdev->dev, kept))
		return -ENOMEM;
	lost = dma_map_single(&pdev->dev, buffer + 1024, 1024, DMA_FROM_DEVICE);
	if (!dma_mapping_error(&pdev->dev, lost))
		dma_unmap_single(&pdev->dev, kept, 1024, DMA_TO_DEVICE);
	return 0;
}

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
	if (!strcmp(does, "leak"))
		return bad_leak(pdev);
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
