/* SPDX-License-Identifier: GPL-2.0 */
/* Every way in which a driver may map BAR 0. */
#ifndef KMOD_MAPPINGS_H
#define KMOD_MAPPINGS_H

#include <linux/device.h>
#include <linux/io.h>
#include <linux/io-mapping.h>
#include <linux/pci.h>

struct mapping {
	const char *name;
	void __iomem *(*map)(struct pci_dev *pdev);
	void (*unmap)(struct pci_dev *pdev, void __iomem *bar);
};

static struct io_mapping *wc_mapping;

static void __iomem *map_io_mapping(struct pci_dev *pdev)
{
	wc_mapping = io_mapping_create_wc(pci_resource_start(pdev, 0), pci_resource_len(pdev, 0));
	return wc_mapping ? io_mapping_map_wc(wc_mapping, 0, PAGE_SIZE) : NULL;
}

static void unmap_io_mapping(struct pci_dev *pdev, void __iomem *bar)
{
	io_mapping_unmap(bar);
	io_mapping_free(wc_mapping);
}

#define START	pci_resource_start(pdev, 0)
#define BYTES	pci_resource_len(pdev, 0)
#define MAP(name, expression)						\
	static void __iomem *map_##name(struct pci_dev *pdev)		\
	{								\
		return (void __iomem *)(expression);			\
	}

MAP(ioremap, ioremap(START, BYTES))
MAP(ioremap_wc, ioremap_wc(START, BYTES))
MAP(ioremap_wt, ioremap_wt(START, BYTES))
MAP(ioremap_uc, ioremap_uc(START, BYTES))
MAP(ioremap_cache, ioremap_cache(START, BYTES))
MAP(ioremap_prot, ioremap_prot(START, BYTES, _PAGE_CACHE_MODE_UC_MINUS))
MAP(ioremap_encrypted, ioremap_encrypted(START, BYTES))
MAP(memremap_wb, memremap(START, BYTES, MEMREMAP_WB))
MAP(memremap_wt, memremap(START, BYTES, MEMREMAP_WT))
MAP(memremap_wc, memremap(START, BYTES, MEMREMAP_WC))
MAP(pci_iomap, pci_iomap(pdev, 0, 0))
MAP(pci_iomap_wc, pci_iomap_wc(pdev, 0, 0))
MAP(pci_iomap_range, pci_iomap_range(pdev, 0, 0, 0x2000))
MAP(pci_ioremap_bar, pci_ioremap_bar(pdev, 0))
MAP(pci_ioremap_wc_bar, pci_ioremap_wc_bar(pdev, 0))
/* These go with the device's resources: nobody else's are in the group. */
#define DEVM(name, expression)						\
	static void __iomem *map_##name(struct pci_dev *pdev)		\
	{								\
		if (!devres_open_group(&pdev->dev, map_##name, GFP_KERNEL)) \
			return NULL;					\
		return (void __iomem *)(expression);			\
	}								\
	static void unmap_##name(struct pci_dev *pdev, void __iomem *bar) \
	{								\
		devres_release_group(&pdev->dev, map_##name);		\
	}

DEVM(devm_ioremap, devm_ioremap(&pdev->dev, START, BYTES))
DEVM(devm_ioremap_uc, devm_ioremap_uc(&pdev->dev, START, BYTES))
DEVM(devm_ioremap_wc, devm_ioremap_wc(&pdev->dev, START, BYTES))
DEVM(devm_ioremap_resource, devm_ioremap_resource(&pdev->dev, &pdev->resource[0]))
DEVM(devm_memremap, devm_memremap(&pdev->dev, START, BYTES, MEMREMAP_WB))
DEVM(pcim_iomap, pcim_iomap(pdev, 0, 0))
#undef START
#undef BYTES
#undef MAP
#undef DEVM

static void unmap_iounmap(struct pci_dev *pdev, void __iomem *bar)
{
	iounmap(bar);
}

static void unmap_memunmap(struct pci_dev *pdev, void __iomem *bar)
{
	memunmap((void __force *)bar);
}

static void unmap_pci_iounmap(struct pci_dev *pdev, void __iomem *bar)
{
	pci_iounmap(pdev, bar);
}

#define ROW(name, unmap) { #name, map_##name, unmap }
static const struct mapping mappings[] = {
	ROW(ioremap, unmap_iounmap),
	ROW(ioremap_wc, unmap_iounmap),
	ROW(ioremap_wt, unmap_iounmap),
	ROW(ioremap_uc, unmap_iounmap),
	ROW(ioremap_cache, unmap_iounmap),
	ROW(ioremap_prot, unmap_iounmap),
	ROW(ioremap_encrypted, unmap_iounmap),
	ROW(memremap_wb, unmap_memunmap),
	ROW(memremap_wt, unmap_memunmap),
	ROW(memremap_wc, unmap_memunmap),
	ROW(io_mapping, unmap_io_mapping),
	ROW(pci_iomap, unmap_pci_iounmap),
	ROW(pci_iomap_wc, unmap_pci_iounmap),
	ROW(pci_iomap_range, unmap_pci_iounmap),
	ROW(pci_ioremap_bar, unmap_iounmap),
	ROW(pci_ioremap_wc_bar, unmap_iounmap),
	ROW(devm_ioremap, unmap_devm_ioremap),
	ROW(devm_ioremap_uc, unmap_devm_ioremap_uc),
	ROW(devm_ioremap_wc, unmap_devm_ioremap_wc),
	ROW(devm_ioremap_resource, unmap_devm_ioremap_resource),
	ROW(devm_memremap, unmap_devm_memremap),
	ROW(pcim_iomap, unmap_pcim_iomap),
};

#undef ROW

#endif
