#!/bin/bash
# SPDX-License-Identifier: MIT
# Starts QEMU. Replaces itself by it, so the process id stays the same.
#
#   qemu.sh --kernel KERNEL_DIR --initrd FILE [options] [-- QEMU_ARGUMENT ...]
#     --accel auto|kvm|tcg   default auto: KVM if a probe says that it works
#     --memory SIZE          default 1G
#     --smp N                default 2
#     --cpu FEATURES         more for QEMU's -cpu, as in erms=on,smap=off
#     --machine TYPE         default q35 without the devices that nobody uses here
#     --append "WORDS"       more for the kernel's command line
#     --shared FILE[:SIZE]   the file is the guest's /dev/pcilens-shared: BAR 2 of
#                            an ivshmem-plain function. Made with SIZE (a power of
#                            two) if it is not there
#     --port NAME=SOCKET     the guest's /dev/virtio-ports/NAME is this UNIX socket;
#                            QEMU listens and goes on without a client
#     --output NAME=FILE     the same, but what the guest writes goes to FILE
#     --console FILE|stdio   the serial console; default stdio
#     --print                print the command instead, one argument a line

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kernel='' initrd='' accel=auto memory=1G smp=2 machine=q35,sata=off,smbus=off,i8042=off append='' console=stdio print='' features=''
shared='' ports=() outputs=()

while (($# > 0)); do
	case $1 in
	-h | --help) usage && exit ;;
	--print) print=1 && shift && continue ;;
	--) shift && break ;;
	esac
	(($# > 1)) || die "qemu.sh: $1 wants a value; see --help"
	case $1 in
	--kernel) kernel=$2 ;;
	--initrd) initrd=$2 ;;
	--accel) accel=$2 ;;
	--memory) memory=$2 ;;
	--smp) smp=$2 ;;
	--cpu) features=,$2 ;;
	--machine) machine=$2 ;;
	--append) append+=" $2" ;;
	--shared) shared=$2 ;;
	--port) ports+=("$2") ;;
	--output) outputs+=("$2") ;;
	--console) console=$2 ;;
	*) die "qemu.sh: unknown option $1; see --help" ;;
	esac
	shift 2
done
[[ -n $kernel && -n $initrd ]] || die "qemu.sh: --kernel and --initrd are needed; see --help"
[[ -e $kernel/release ]] || die "$kernel is no folder that kernel.sh made"
[[ -e $initrd ]] || die "there is no initrd $initrd"
need qemu-system-x86_64 qemu-system-x86

if [[ $accel == auto ]]; then
	accel=$("$vm_dir/accel.sh" "$kernel")
fi
image=$kernel/vmlinux
[[ -e $image ]] || image=$kernel/vmlinuz

# A comma ends a value in QEMU's options; two stand for one.
quoted() {
	printf '%s' "${1//,/,,}"
}

command=(qemu-system-x86_64 -machine "$machine" -nodefaults -no-user-config -display none
	-no-reboot -m "$memory" -smp "$smp" -kernel "$image" -initrd "$initrd")
# quiet: a character on the serial line costs an exit. panic=-1 with -no-reboot:
# QEMU ends at a panic. notests: a tenth of the boot.
words="console=ttyS0 quiet panic=-1 cryptomgr.notests"
case $accel in
kvm) command+=(-accel kvm -cpu "host$features") ;;
tcg)
	# la57 off: one level less to walk at every miss of QEMU's software TLB. erms off: the kernel
	# would copy pages by rep movsb, of which QEMU emulates byte after byte.
	command+=(-accel "tcg,thread=multi" -cpu "max,la57=off,erms=off$features")
	# Linux mistrusts this CPU's TSC and would read every time from the HPET,
	# which takes an exit; QEMU keeps the TSCs of its CPUs together.
	words+=" tsc=reliable"
	# No speculation is emulated, but every detour around it is. psi: statistics of each
	# context switch that nobody reads. lsm: three security modules without a policy would look
	# at each system call.
	words+=" mitigations=off psi=0 lsm=yama"
	# On a busy host the timer's test interrupts come too late, and Linux panics.
	words+=" no_timer_check"
	;;
*) die "qemu.sh: --accel is auto, kvm or tcg, not $accel" ;;
esac
case $console in
stdio) command+=(-chardev "stdio,id=console,signal=off") ;;
*) command+=(-chardev "file,id=console,path=$(quoted "$console")") ;;
esac
command+=(-serial chardev:console)

if [[ -n $shared ]]; then
	file=${shared%%:*}
	if [[ -e $file ]]; then
		size=$(stat -Lc %s "$file")
	else
		[[ $shared == *:* ]] || die "qemu.sh: there is no $file; say --shared $file:SIZE to have it made"
		size=$(numfmt --from=iec "${shared##*:}") || die "qemu.sh: '${shared##*:}' is no size; give one like 64M"
	fi
	((size >= 4096 && (size & (size - 1)) == 0)) ||
		die "qemu.sh: $file has $size bytes; a PCI BAR wants a power of two of at least 4096"
	# fallocate: a file with holes on a full tmpfs kills QEMU with SIGBUS later.
	[[ -e $file ]] || fallocate -l "$size" "$file" || die "qemu.sh: cannot make $file with $size bytes"
	command+=(-object "memory-backend-file,id=shared,share=on,size=$size,mem-path=$(quoted "$file")"
		-device "ivshmem-plain,memdev=shared")
fi

if ((${#ports[@]} + ${#outputs[@]} > 0)); then
	command+=(-device virtio-serial-pci)
fi
number=0
for port in "${ports[@]}"; do
	number=$((number + 1))
	socket=${port#*=}
	# QEMU's own message for this is "UNIX socket path is too long".
	((${#socket} < 108)) || die "qemu.sh: the socket's path is longer than the 107 characters that a UNIX socket may have: $socket"
	command+=(-chardev "socket,id=port$number,server=on,wait=off,path=$(quoted "$socket")"
		-device "virtserialport,chardev=port$number,name=${port%%=*}")
done
for port in "${outputs[@]}"; do
	number=$((number + 1))
	command+=(-chardev "file,id=port$number,path=$(quoted "${port#*=}")"
		-device "virtserialport,chardev=port$number,name=${port%%=*}")
done

command+=(-append "$words pcilens_ports=$number$append" "$@")
if [[ -n $print ]]; then
	printf '%s\n' "${command[@]}"
	exit
fi
exec "${command[@]}"
