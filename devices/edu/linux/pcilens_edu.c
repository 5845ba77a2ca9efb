// SPDX-License-Identifier: GPL-2.0
/*
 * A driver for the edu device: QEMU's "-device edu", or pcilens' own.
 *
 * It is meant to be read. In the order of a driver's life: probe() finds the
 * device alive, lets it compute a factorial and waits for the interrupt, lets it
 * copy a block to its own memory and back by DMA. After that two files in sysfs
 * do the same on request:
 *
 *	cd /sys/bus/pci/drivers/pcilens_edu/0000:00:04.0
 *	echo 5 > factorial; cat factorial	-> 120
 *	cat dma					-> ok 256
 *
 * The registers are those of QEMU's docs/specs/edu.rst.
 */
#include <linux/bitfield.h>
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>

#define EDU_ID			0x00	/* RO: 0xMMmm00ed, version MM.mm */
#define EDU_ID_MASK		0x000000ff
#define EDU_ID_VALUE		0x000000ed
#define EDU_ALIVE		0x04	/* reads as ~ of what was written */
#define EDU_FACTORIAL		0x08	/* write n, read n! once not computing */
#define EDU_STATUS		0x20
#define EDU_STATUS_COMPUTING	BIT(0)
#define EDU_STATUS_IRQ		BIT(7)	/* interrupt when the factorial is done */
#define EDU_IRQ_STATUS		0x24	/* RO */
#define EDU_IRQ_RAISE		0x60	/* WO */
#define EDU_IRQ_ACK		0x64	/* WO */
#define EDU_DMA_SOURCE		0x80	/* 64 bits, like the two below */
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define EDU_DMA_START		BIT(0)
#define EDU_DMA_FROM_DEVICE	BIT(1)	/* device to memory; else memory to device */
#define EDU_DMA_IRQ		BIT(2)

/* Bits of EDU_IRQ_STATUS: what the device raises. */
#define EDU_IRQ_FACTORIAL	BIT(0)
#define EDU_IRQ_DMA		BIT(8)

#define EDU_BUFFER		0x40000	/* the device's own memory, as it sees it: 4096 bytes */
#define EDU_TEST_BYTES		2048	/* QEMU aborts when a copy ends at the buffer's end */
#define EDU_DMA_BITS		28

static unsigned int number = 10;
module_param(number, uint, 0444);
MODULE_PARM_DESC(number, "probe() computes this number's factorial (default 10)");

static unsigned int timeout_ms = 5000;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "how long to wait for an interrupt (default 5000)");

struct edu {
	struct pci_dev *pdev;
	void __iomem *registers;
	struct mutex lock;	/* one command at a time */
	struct completion done;
	u32 raised;		/* by the interrupt that completed */
	u32 factorial;
};

static irqreturn_t edu_interrupt(int irq, void *data)
{
	struct edu *edu = data;
	u32 raised = readl(edu->registers + EDU_IRQ_STATUS);

	/* All-ones is what a device that is gone reads as. */
	if (!raised || raised == ~0U)
		return IRQ_NONE;
	writel(raised, edu->registers + EDU_IRQ_ACK);
	edu->raised = raised;
	complete(&edu->done);
	return IRQ_HANDLED;
}

static int edu_wait(struct edu *edu, u32 expected)
{
	if (!wait_for_completion_timeout(&edu->done, msecs_to_jiffies(timeout_ms))) {
		dev_err(&edu->pdev->dev, "no interrupt within %u ms\n", timeout_ms);
		return -ETIMEDOUT;
	}
	if (!(edu->raised & expected)) {
		dev_err(&edu->pdev->dev, "interrupt 0x%x instead of 0x%x\n", edu->raised, expected);
		return -EIO;
	}
	return 0;
}

static int edu_alive(struct edu *edu)
{
	u32 id = readl(edu->registers + EDU_ID);
	u32 written = 0x12345678;
	u32 read;

	if ((id & EDU_ID_MASK) != EDU_ID_VALUE) {
		dev_err(&edu->pdev->dev, "id 0x%08x is not that of an edu device\n", id);
		return -ENODEV;
	}
	writel(written, edu->registers + EDU_ALIVE);
	read = readl(edu->registers + EDU_ALIVE);
	if (read != ~written) {
		dev_err(&edu->pdev->dev, "wrote 0x%x, read 0x%x instead of its complement\n",
			written, read);
		return -EIO;
	}
	dev_info(&edu->pdev->dev, "edu %lu.%lu is alive\n", FIELD_GET(GENMASK(31, 24), id),
		 FIELD_GET(GENMASK(23, 16), id));
	return 0;
}

static int edu_factorial(struct edu *edu, u32 n, u32 *result)
{
	int err;

	mutex_lock(&edu->lock);
	reinit_completion(&edu->done);
	writel(EDU_STATUS_IRQ, edu->registers + EDU_STATUS);
	writel(n, edu->registers + EDU_FACTORIAL);
	err = edu_wait(edu, EDU_IRQ_FACTORIAL);
	writel(0, edu->registers + EDU_STATUS);
	if (!err)
		*result = readl(edu->registers + EDU_FACTORIAL);
	mutex_unlock(&edu->lock);
	return err;
}

/* One command of the DMA engine; @iova is memory, the other end the device's buffer. */
static int edu_copy(struct edu *edu, dma_addr_t iova, u32 bytes, bool from_device)
{
	u32 command = EDU_DMA_START | EDU_DMA_IRQ;

	reinit_completion(&edu->done);
	if (from_device)
		command |= EDU_DMA_FROM_DEVICE;
	writel(from_device ? EDU_BUFFER : iova, edu->registers + EDU_DMA_SOURCE);
	writel(from_device ? iova : EDU_BUFFER, edu->registers + EDU_DMA_DESTINATION);
	writel(bytes, edu->registers + EDU_DMA_COUNT);
	writel(command, edu->registers + EDU_DMA_COMMAND);
	return edu_wait(edu, EDU_IRQ_DMA);
}

/* A block goes to the device through one buffer and comes back through another. */
static int edu_dma(struct edu *edu, u32 bytes)
{
	struct device *dev = &edu->pdev->dev;
	dma_addr_t out_iova, in_iova;
	u8 *out, *in;
	int err;
	u32 i;

	out = kmalloc(bytes, GFP_KERNEL);
	in = kzalloc(bytes, GFP_KERNEL);
	err = -ENOMEM;
	if (!out || !in)
		goto out_free;
	for (i = 0; i < bytes; i++)
		out[i] = i * 7 + 3;
	out_iova = dma_map_single(dev, out, bytes, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, out_iova))
		goto out_free;
	in_iova = dma_map_single(dev, in, bytes, DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, in_iova)) {
		dma_unmap_single(dev, out_iova, bytes, DMA_TO_DEVICE);
		goto out_free;
	}
	mutex_lock(&edu->lock);
	err = edu_copy(edu, out_iova, bytes, false);
	if (!err)
		err = edu_copy(edu, in_iova, bytes, true);
	mutex_unlock(&edu->lock);
	dma_unmap_single(dev, in_iova, bytes, DMA_FROM_DEVICE);
	dma_unmap_single(dev, out_iova, bytes, DMA_TO_DEVICE);
	if (!err && memcmp(in, out, bytes)) {
		dev_err(dev, "%u bytes came back from the device changed\n", bytes);
		err = -EIO;
	}
out_free:
	kfree(in);
	kfree(out);
	return err;
}

static ssize_t factorial_show(struct device *dev, struct device_attribute *attribute, char *to)
{
	struct edu *edu = dev_get_drvdata(dev);

	return sysfs_emit(to, "%u\n", edu->factorial);
}

static ssize_t factorial_store(struct device *dev, struct device_attribute *attribute,
			       const char *from, size_t length)
{
	struct edu *edu = dev_get_drvdata(dev);
	u32 n;
	int err;

	err = kstrtou32(from, 0, &n);
	if (!err)
		err = edu_factorial(edu, n, &edu->factorial);
	return err ?: length;
}
static DEVICE_ATTR_RW(factorial);

static ssize_t dma_show(struct device *dev, struct device_attribute *attribute, char *to)
{
	int err = edu_dma(dev_get_drvdata(dev), 256);

	return err ?: sysfs_emit(to, "ok 256\n");
}
static DEVICE_ATTR_RO(dma);

static struct attribute *edu_attrs[] = {
	&dev_attr_factorial.attr,
	&dev_attr_dma.attr,
	NULL
};
ATTRIBUTE_GROUPS(edu);

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	struct edu *edu;
	int err;

	edu = devm_kzalloc(dev, sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	edu->pdev = pdev;
	mutex_init(&edu->lock);
	init_completion(&edu->done);
	pci_set_drvdata(pdev, edu);

	err = pcim_enable_device(pdev);
	if (err)
		return err;
	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(EDU_DMA_BITS));
	if (err)
		return dev_err_probe(dev, err, "no DMA with %d address bits\n", EDU_DMA_BITS);
	err = pcim_iomap_regions(pdev, BIT(0), KBUILD_MODNAME);
	if (err)
		return err;
	edu->registers = pcim_iomap_table(pdev)[0];
	err = edu_alive(edu);
	if (err)
		return err;

	pci_set_master(pdev);
	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (err < 0)
		return dev_err_probe(dev, err, "no interrupt\n");
	/* Shared, for the case that it is INTx. */
	err = request_irq(pci_irq_vector(pdev, 0), edu_interrupt, IRQF_SHARED, KBUILD_MODNAME, edu);
	if (err)
		goto err_vectors;

	err = edu_factorial(edu, number, &edu->factorial);
	if (err)
		goto err_irq;
	dev_info(dev, "%u! = %u\n", number, edu->factorial);
	err = edu_dma(edu, EDU_TEST_BYTES);
	if (err)
		goto err_irq;
	dev_info(dev, "%u bytes of DMA there and back are the same\n", EDU_TEST_BYTES);
	return 0;

err_irq:
	free_irq(pci_irq_vector(pdev, 0), edu);
err_vectors:
	pci_free_irq_vectors(pdev);
	return err;
}

static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	writel(0, edu->registers + EDU_STATUS);
	free_irq(pci_irq_vector(pdev, 0), edu);
	pci_free_irq_vectors(pdev);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = KBUILD_MODNAME,
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.dev_groups = edu_groups,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("Driver for the edu device, to be read and to be debugged");
MODULE_AUTHOR("The pcilens developers");
MODULE_LICENSE("GPL");
