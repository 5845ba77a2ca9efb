// SPDX-License-Identifier: GPL-2.0
/*
 * DMA of a function: a pool that it shares with its runtime, and nothing else.
 * Streaming mappings bounce through the pool, so the runtime reaches only what
 * a driver has mapped, by construction.
 *
 * IOVA = base + offset in the pool. The base is low, for devices with a small
 * mask, and not 0, which drivers take for "none".
 *
 * An unmapped range rests until the reader has passed its unmap record, or the
 * device could still write what by then belongs to somebody else.
 */
#include <linux/delay.h>
#include <linux/dma-map-ops.h>
#include <linux/genalloc.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "function.h"

#define IOVA_BASE	SZ_1M

/* How long who may not sleep waits for the reader, each time that it looks for room. */
#define POOL_WAIT_US	20

struct lens_mapping {
	struct list_head list;	/* while it rests */
	u64 rests_until;	/* ring position */
	u64 start;		/* IOVA, page aligned */
	u64 pages;
	u64 iova;
	u64 size;
	void *cpu;		/* what a streaming mapping bounces */
	enum dma_data_direction direction;
	bool coherent;
	unsigned long attrs;
};

struct lens_dma {
	raw_spinlock_t lock;
	void *memory;
	u64 bytes;
	struct gen_pool *pool;
	struct lens_mapping **page;	/* the mapping of each page of the pool */
	struct list_head resting;
};

int lens_dma_create(struct lens_function *fn, u64 bytes)
{
	struct lens_dma *dma;

	if (!bytes)
		return 0;
	if (!PAGE_ALIGNED(bytes) || bytes > LENS_POOL_MAX - IOVA_BASE)
		return -EINVAL;
	dma = kzalloc(sizeof(*dma), GFP_KERNEL);
	if (!dma)
		return -ENOMEM;
	fn->dma = dma;
	raw_spin_lock_init(&dma->lock);
	INIT_LIST_HEAD(&dma->resting);
	dma->bytes = bytes;
	dma->memory = vmalloc_user(bytes);
	dma->page = vzalloc(bytes / PAGE_SIZE * sizeof(*dma->page));
	dma->pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!dma->memory || !dma->page || !dma->pool)
		return -ENOMEM;
	gen_pool_set_algo(dma->pool, gen_pool_first_fit_order_align, NULL);
	return gen_pool_add(dma->pool, IOVA_BASE, bytes, NUMA_NO_NODE);
}

static void lens_mapping_end(struct lens_function *fn, struct lens_mapping *mapping)
{
	gen_pool_free(fn->dma->pool, mapping->start, mapping->pages << PAGE_SHIFT);
	kfree(mapping);
}

void lens_dma_free(struct lens_function *fn)
{
	struct lens_dma *dma = fn->dma;
	struct lens_mapping *mapping, *next;
	u64 i;

	if (!dma)
		return;
	list_for_each_entry_safe(mapping, next, &dma->resting, list)
		lens_mapping_end(fn, mapping);
	/* What a driver has leaked. */
	for (i = 0; dma->page && i < dma->bytes >> PAGE_SHIFT; i++) {
		mapping = dma->page[i];
		if (!mapping)
			continue;
		i += mapping->pages - 1;
		lens_mapping_end(fn, mapping);
	}
	if (dma->pool)
		gen_pool_destroy(dma->pool);
	vfree(dma->page);
	vfree(dma->memory);
	kfree(dma);
}

u64 lens_dma_base(struct lens_function *fn)
{
	return fn->dma ? IOVA_BASE : 0;
}

u64 lens_dma_bytes(struct lens_function *fn)
{
	return fn->dma ? fn->dma->bytes : 0;
}

void *lens_dma_memory(struct lens_function *fn)
{
	return fn->dma ? fn->dma->memory : NULL;
}

u64 lens_dma_available(struct lens_function *fn)
{
	return fn->dma ? gen_pool_avail(fn->dma->pool) : 0;
}

static void *lens_pool_at(struct lens_dma *dma, u64 iova)
{
	return dma->memory + (iova - IOVA_BASE);
}

/* Ends the rest of what the reader has passed. */
void lens_dma_reclaim(struct lens_function *fn)
{
	struct lens_dma *dma = fn->dma;
	struct lens_mapping *mapping, *next;
	unsigned long flags;
	LIST_HEAD(over);
	u64 tail;

	if (!dma || list_empty_careful(&dma->resting))
		return;
	tail = lens_ring_tail(fn);
	raw_spin_lock_irqsave(&dma->lock, flags);
	list_for_each_entry_safe(mapping, next, &dma->resting, list) {
		if (!lens_dead(fn) && (s64)(tail - mapping->rests_until) < 0)
			break;
		list_move_tail(&mapping->list, &over);
	}
	raw_spin_unlock_irqrestore(&dma->lock, flags);
	list_for_each_entry_safe(mapping, next, &over, list)
		lens_mapping_end(fn, mapping);
}

static u64 lens_pool_alloc(struct lens_function *fn, u64 bytes)
{
	bool may_sleep = lens_may_sleep();
	unsigned int tries;
	u64 start;

	for (tries = 0; tries < 100; tries++) {
		lens_dma_reclaim(fn);
		start = gen_pool_alloc(fn->dma->pool, bytes);
		if (start || lens_dead(fn) || list_empty_careful(&fn->dma->resting))
			return start;
		/* The reader has to pass the unmaps first. */
		if (may_sleep)
			usleep_range(500, 1000);
		else
			udelay(POOL_WAIT_US);
	}
	return 0;
}

static u32 lens_direction(enum dma_data_direction direction)
{
	return (direction != DMA_FROM_DEVICE ? PCILENS_DMA_TO_DEVICE : 0) |
	       (direction != DMA_TO_DEVICE ? PCILENS_DMA_FROM_DEVICE : 0);
}

static void lens_emit_dma(struct lens_function *fn, enum pcilens_kind kind, u64 iova, u64 size,
			  u32 aux)
{
	struct pcilens_event event = {
		.kind = kind, .bar = PCILENS_BAR_DMA, .offset = iova, .value = size, .aux = aux,
	};
	struct lens_site site;

	lens_site_init(&site, 0);
	/* A walk costs too much for each streaming mapping, unless it is asked for. */
	lens_emit(fn, &site, &event, kind == PCILENS_DMA_MAP && aux & PCILENS_DMA_COHERENT);
}

static struct lens_mapping *lens_map_pool(struct lens_function *fn, struct device *dev, void *cpu,
					  u64 size, enum dma_data_direction direction,
					  bool coherent, gfp_t gfp, unsigned long attrs)
{
	struct lens_dma *dma = fn->dma;
	struct lens_mapping *mapping;
	unsigned long flags;
	u64 in_page, i;
	u64 mask;

	if (!dma || !size || lens_dead(fn))
		return NULL;
	mask = coherent ? dev->coherent_dma_mask : *dev->dma_mask;
	mapping = kzalloc(sizeof(*mapping), gfp);
	if (!mapping)
		return NULL;
	in_page = coherent ? 0 : offset_in_page(cpu);
	mapping->pages = PAGE_ALIGN(in_page + size) >> PAGE_SHIFT;
	mapping->start = lens_pool_alloc(fn, mapping->pages << PAGE_SHIFT);
	if (!mapping->start || mapping->start + (mapping->pages << PAGE_SHIFT) - 1 > mask) {
		if (mapping->start)
			gen_pool_free(dma->pool, mapping->start, mapping->pages << PAGE_SHIFT);
		kfree(mapping);
		atomic64_inc(&fn->stat.dma_failed);
		return NULL;
	}
	mapping->iova = mapping->start + in_page;
	mapping->size = size;
	mapping->cpu = cpu;
	mapping->direction = direction;
	mapping->coherent = coherent;
	mapping->attrs = attrs;
	/* In every direction: what the device does not write must stay. */
	if (cpu)
		memcpy(lens_pool_at(dma, mapping->iova), cpu, size);

	raw_spin_lock_irqsave(&dma->lock, flags);
	for (i = 0; i < mapping->pages; i++)
		dma->page[((mapping->start - IOVA_BASE) >> PAGE_SHIFT) + i] = mapping;
	raw_spin_unlock_irqrestore(&dma->lock, flags);
	atomic64_inc(&fn->stat.dma_maps);
	atomic64_inc(&fn->stat.dma_active);
	lens_emit_dma(fn, PCILENS_DMA_MAP, mapping->iova, size,
		      lens_direction(direction) | (coherent ? PCILENS_DMA_COHERENT : 0));
	return mapping;
}

/* The mapping that covers @iova; stays valid until the driver unmaps it. */
static struct lens_mapping *lens_find(struct lens_function *fn, u64 iova)
{
	struct lens_dma *dma = fn->dma;

	if (!dma || iova < IOVA_BASE || iova - IOVA_BASE >= dma->bytes)
		return NULL;
	return READ_ONCE(dma->page[(iova - IOVA_BASE) >> PAGE_SHIFT]);
}

static void lens_unmap_pool(struct lens_function *fn, u64 iova, bool copy)
{
	struct lens_mapping *mapping = lens_find(fn, iova);
	struct lens_dma *dma = fn->dma;
	unsigned long flags;
	u64 i;

	if (!mapping) {
		pr_warn_ratelimited("pcilens: function %u: unmap of IOVA 0x%llx, which is not mapped\n",
				    fn->id, iova);
		return;
	}
	if (copy && mapping->cpu && mapping->direction != DMA_TO_DEVICE)
		memcpy(mapping->cpu, lens_pool_at(dma, mapping->iova), mapping->size);
	raw_spin_lock_irqsave(&dma->lock, flags);
	for (i = 0; i < mapping->pages; i++)
		dma->page[((mapping->start - IOVA_BASE) >> PAGE_SHIFT) + i] = NULL;
	raw_spin_unlock_irqrestore(&dma->lock, flags);
	memset(lens_pool_at(dma, mapping->start), 0, mapping->pages << PAGE_SHIFT);
	atomic64_dec(&fn->stat.dma_active);
	lens_emit_dma(fn, PCILENS_DMA_UNMAP, mapping->iova, mapping->size,
		      lens_direction(mapping->direction) |
		      (mapping->coherent ? PCILENS_DMA_COHERENT : 0));
	raw_spin_lock_irqsave(&dma->lock, flags);
	mapping->rests_until = READ_ONCE(fn->head);
	list_add_tail(&mapping->list, &dma->resting);
	raw_spin_unlock_irqrestore(&dma->lock, flags);
}

static void *lens_dma_alloc(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			    unsigned long attrs)
{
	struct lens_function *fn = lens_device_function(dev);
	struct lens_mapping *mapping;
	void *memory = NULL;

	if (!fn)
		return NULL;
	mapping = lens_map_pool(fn, dev, NULL, PAGE_ALIGN(size), DMA_BIDIRECTIONAL, true,
				gfp & ~(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM | __GFP_COMP),
				attrs);
	if (mapping) {
		*handle = mapping->iova;
		memory = lens_pool_at(fn->dma, mapping->iova);
		memset(memory, 0, mapping->pages << PAGE_SHIFT);
	}
	lens_put(fn);
	return memory;
}

static void lens_dma_release(struct device *dev, size_t size, void *memory, dma_addr_t handle,
			     unsigned long attrs)
{
	struct lens_function *fn = lens_device_function(dev);

	if (!fn)
		return;
	lens_unmap_pool(fn, handle, false);
	lens_put(fn);
}

static dma_addr_t lens_dma_map_page(struct device *dev, struct page *page, unsigned long offset,
				    size_t size, enum dma_data_direction direction,
				    unsigned long attrs)
{
	struct lens_function *fn = lens_device_function(dev);
	struct lens_mapping *mapping;
	dma_addr_t iova = DMA_MAPPING_ERROR;

	if (!fn)
		return iova;
	mapping = lens_map_pool(fn, dev, page_address(page) + offset, size, direction, false,
				GFP_ATOMIC, attrs);
	if (mapping)
		iova = mapping->iova;
	lens_put(fn);
	return iova;
}

static void lens_dma_unmap_page(struct device *dev, dma_addr_t handle, size_t size,
				enum dma_data_direction direction, unsigned long attrs)
{
	struct lens_function *fn = lens_device_function(dev);

	if (!fn)
		return;
	lens_unmap_pool(fn, handle, !(attrs & DMA_ATTR_SKIP_CPU_SYNC));
	lens_put(fn);
}

static void lens_dma_unmap_sg(struct device *dev, struct scatterlist *list, int count,
			      enum dma_data_direction direction, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i)
		lens_dma_unmap_page(dev, sg_dma_address(sg), sg_dma_len(sg), direction, attrs);
}

static int lens_dma_map_sg(struct device *dev, struct scatterlist *list, int count,
			   enum dma_data_direction direction, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i) {
		sg_dma_address(sg) = lens_dma_map_page(dev, sg_page(sg), sg->offset, sg->length,
						       direction, attrs);
		if (sg_dma_address(sg) == DMA_MAPPING_ERROR) {
			lens_dma_unmap_sg(dev, list, i, direction,
					  attrs | DMA_ATTR_SKIP_CPU_SYNC);
			return -ENOMEM;
		}
		sg_dma_len(sg) = sg->length;
	}
	return count;
}

static void lens_sync(struct device *dev, dma_addr_t iova, size_t size, bool for_cpu)
{
	struct lens_function *fn = lens_device_function(dev);
	struct lens_mapping *mapping;

	if (!fn)
		return;
	mapping = lens_find(fn, iova);
	if (mapping && mapping->cpu && iova >= mapping->iova &&
	    iova + size <= mapping->iova + mapping->size) {
		void *cpu = mapping->cpu + (iova - mapping->iova);
		void *pool = lens_pool_at(fn->dma, iova);

		if (for_cpu && mapping->direction != DMA_TO_DEVICE)
			memcpy(cpu, pool, size);
		else if (!for_cpu && mapping->direction != DMA_FROM_DEVICE)
			memcpy(pool, cpu, size);
		lens_emit_dma(fn, PCILENS_DMA_SYNC, iova, size,
			      lens_direction(mapping->direction) |
			      (for_cpu ? PCILENS_DMA_FOR_CPU : PCILENS_DMA_FOR_DEVICE));
	}
	lens_put(fn);
}

static void lens_dma_sync_for_cpu(struct device *dev, dma_addr_t handle, size_t size,
				  enum dma_data_direction direction)
{
	lens_sync(dev, handle, size, true);
}

static void lens_dma_sync_for_device(struct device *dev, dma_addr_t handle, size_t size,
				     enum dma_data_direction direction)
{
	lens_sync(dev, handle, size, false);
}

static void lens_dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *list, int count,
				     enum dma_data_direction direction)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i)
		lens_sync(dev, sg_dma_address(sg), sg->length, true);
}

static void lens_dma_sync_sg_for_device(struct device *dev, struct scatterlist *list, int count,
					enum dma_data_direction direction)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i)
		lens_sync(dev, sg_dma_address(sg), sg->length, false);
}

static int lens_dma_mmap(struct device *dev, struct vm_area_struct *vma, void *memory,
			 dma_addr_t handle, size_t size, unsigned long attrs)
{
	struct lens_function *fn = lens_device_function(dev);
	unsigned long pages = PAGE_ALIGN(size) >> PAGE_SHIFT;
	int err = -ENXIO;

	if (!fn)
		return -ENODEV;
	if (lens_find(fn, handle) && vma->vm_pgoff < pages &&
	    vma_pages(vma) <= pages - vma->vm_pgoff)
		err = remap_vmalloc_range(vma, fn->dma->memory,
					  ((handle - IOVA_BASE) >> PAGE_SHIFT) + vma->vm_pgoff);
	lens_put(fn);
	return err;
}

static int lens_dma_get_sgtable(struct device *dev, struct sg_table *table, void *memory,
				dma_addr_t handle, size_t size, unsigned long attrs)
{
	unsigned int count = PAGE_ALIGN(size) >> PAGE_SHIFT;
	struct page **pages;
	unsigned int i;
	int err;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		pages[i] = vmalloc_to_page(memory + i * PAGE_SIZE);
	err = sg_alloc_table_from_pages(table, pages, count, 0, size, GFP_KERNEL);
	kvfree(pages);
	return err;
}

static int lens_dma_supported(struct device *dev, u64 mask)
{
	struct lens_function *fn = lens_device_function(dev);
	bool supported;

	if (!fn)
		return 0;
	supported = fn->dma && mask >= IOVA_BASE + fn->dma->bytes - 1;
	lens_put(fn);
	return supported;
}

static size_t lens_dma_max_mapping_size(struct device *dev)
{
	struct lens_function *fn = lens_device_function(dev);
	size_t bytes = PAGE_SIZE;

	if (!fn)
		return bytes;
	/* One mapping may take an eighth, less the page that its offset costs. */
	if (fn->dma && fn->dma->bytes / 8 > 2 * PAGE_SIZE)
		bytes = rounddown_pow_of_two(fn->dma->bytes / 8) - PAGE_SIZE;
	lens_put(fn);
	return bytes;
}

static const struct dma_map_ops lens_dma_ops = {
	.alloc = lens_dma_alloc,
	.free = lens_dma_release,
	.mmap = lens_dma_mmap,
	.get_sgtable = lens_dma_get_sgtable,
	.map_page = lens_dma_map_page,
	.unmap_page = lens_dma_unmap_page,
	.map_sg = lens_dma_map_sg,
	.unmap_sg = lens_dma_unmap_sg,
	.sync_single_for_cpu = lens_dma_sync_for_cpu,
	.sync_single_for_device = lens_dma_sync_for_device,
	.sync_sg_for_cpu = lens_dma_sync_sg_for_cpu,
	.sync_sg_for_device = lens_dma_sync_sg_for_device,
	.dma_supported = lens_dma_supported,
	.max_mapping_size = lens_dma_max_mapping_size,
};

void lens_dma_attach(struct device *dev)
{
	set_dma_ops(dev, &lens_dma_ops);
}
