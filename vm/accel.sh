#!/bin/bash
# SPDX-License-Identifier: MIT
# Prints kvm if KVM really runs guests here, else tcg.
#
#   accel.sh [--again] KERNEL_DIR
#
# /dev/kvm that opens is no proof: inside a VM, guests may hang. So the kernel
# itself is started under KVM, with a limit of 4 seconds, until its init speaks.
# The verdict holds until the machine's next boot.

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

again=
case ${1-} in
-h | --help) usage && exit ;;
--again) again=1 && shift ;;
esac
kernel=${1-}
[[ -e $kernel/release ]] || die "accel.sh: '$kernel' is no folder that kernel.sh made"

if [[ ! -w /dev/kvm ]]; then
	[[ ! -e /dev/kvm ]] || say "/dev/kvm is not writable for this user (group kvm): using TCG, which is slower"
	echo tcg
	exit
fi

read -r boot </proc/sys/kernel/random/boot_id
read -r release <"$kernel/release"
verdict="$cache_dir/accel/$boot-$release"

probe() {
	[[ -n $again || ! -e $verdict ]] || return 0
	say "trying KVM (4 seconds at most)"
	mkdir -p "$cache_dir/accel"
	# Verdicts of earlier boots.
	find "$cache_dir/accel" -type f ! -name "$boot-*" -delete
	local work answer=tcg image=$kernel/vmlinux
	[[ -e $image ]] || image=$kernel/vmlinuz
	work=$(mktemp -d)
	# shellcheck disable=SC2064
	trap "rm -rf '$work'" EXIT
	mkdir "$work/root"
	cp "$(command -v busybox)" "$work/root/busybox"
	printf '#!/busybox sh\necho KVM-RUNS\n/busybox reboot -f\n' >"$work/root/init"
	chmod 755 "$work/root/init"
	(cd "$work/root" && printf 'init\nbusybox\n' | cpio -o -H newc --quiet) >"$work/initrd"
	# KILL: a hung KVM guest may not let QEMU answer a TERM. The braces keep
	# bash's own word about a crashed QEMU off the screen.
	{ timeout -s KILL 4 qemu-system-x86_64 -machine q35 -accel kvm -cpu host -smp 2 -m 256M \
		-nodefaults -no-user-config -display none -no-reboot -serial stdio \
		-kernel "$image" -initrd "$work/initrd" -append "console=ttyS0 quiet panic=-1" \
		</dev/null >"$work/console" 2>"$work/errors" || true; } 2>/dev/null
	if grep -q KVM-RUNS "$work/console"; then
		answer=kvm
	else
		say "KVM does not run guests here: using TCG, which is slower"
	fi
	echo "$answer" >"$work/verdict"
	mv "$work/verdict" "$verdict"
}

if [[ -n $again || ! -e $verdict ]]; then
	need qemu-system-x86_64 qemu-system-x86 busybox busybox-static cpio cpio
	with_lock accel probe
fi
cat "$verdict"
