/* As the kernel's readl(): inline, and not one of the module's own files. */
static inline int kernel_read(const volatile int *at)
{
	return *at;
}
