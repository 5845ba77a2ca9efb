#!/bin/bash
# SPDX-License-Identifier: MIT
# Boots a guest, runs a shell script in it, prints what it prints, and returns
# its exit code.
#
#   run-script.sh KERNEL SCRIPT [options] [-- SCRIPT_ARGUMENT ...]
#     KERNEL               a series (6.1), "default", or a folder of kernel.sh's
#     --timeout SECONDS    default 120; then the guest is killed: exit code 124
#     --allow REGEX        kernel messages that match are no failure
#     --dmesg FILE         keep the kernel's messages (after a crash: the console)
#     --memory --smp --cpu --machine --append --accel --shared --port   as in qemu.sh
#     --binary --file --module --load                             as in initramfs.sh
#
# Exit code: the script's; 1 if the kernel complained (BUG, WARNING, oops, hung
# task, stall, lockup ...) although the script succeeded; 2 if the guest died or
# never got to the script; 124 after the time limit.

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# What a healthy kernel never says.
complaints=$vm_dir/complaints

case ${1-} in
-h | --help | '') usage && exit ;;
esac
(($# >= 2)) || die "run-script.sh: a kernel and a script are needed; see --help"
kernel=$1 script=$2
shift 2
limit=120 allow='^$' dmesg=''
qemu_options=() root_options=()
while (($# > 0)); do
	case $1 in
	-h | --help) usage && exit ;;
	--) shift && break ;;
	esac
	(($# > 1)) || die "run-script.sh: $1 wants a value; see --help"
	case $1 in
	--timeout) limit=$2 ;;
	--allow) allow=$2 ;;
	--dmesg) dmesg=$2 ;;
	--memory | --smp | --cpu | --machine | --append | --accel | --shared | --port) qemu_options+=("$1" "$2") ;;
	--binary | --file | --module | --load) root_options+=("$1" "$2") ;;
	*) die "run-script.sh: unknown option $1; see --help" ;;
	esac
	shift 2
done
[[ -f $script ]] || die "run-script.sh: there is no script $script"
case $kernel in
*/*) ;;
*) kernel=$("$vm_dir/kernel.sh" "$kernel") ;;
esac

work=$(mktemp -d)
machine=''
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	[[ -z $machine ]] || kill "$machine" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The job: output and verdict leave on ports of their own, which are faster than
# the serial line and carry no kernel messages.
{
	echo 'cd /root'
	printf 'set --'
	(($# == 0)) || printf ' %q' "$@"
	echo
	cat <<'JOB'
if [ -c /dev/virtio-ports/org.pcilens.output.0 ]; then
	"${INTERPRETER:-sh}" /etc/pcilens/script "$@" </dev/null >/dev/virtio-ports/org.pcilens.output.0 2>&1
	code=$?
	dmesg >/dev/virtio-ports/org.pcilens.dmesg.0
	echo "exit $code" >/dev/virtio-ports/org.pcilens.result.0
fi
JOB
} >"$work/start"
: >"$work/output"
"$vm_dir/initramfs.sh" --kernel "$kernel" -o "$work/initrd" --start "$work/start" \
	--file "$script:/etc/pcilens/script" "${root_options[@]}"

# pdeathsig: a killed run leaves no QEMU behind.
setpriv --pdeathsig TERM timeout -k 5 "$limit" "$vm_dir/qemu.sh" --kernel "$kernel" --initrd "$work/initrd" \
	--console "$work/console" --output "org.pcilens.output.0=$work/output" \
	--output "org.pcilens.dmesg.0=$work/dmesg" --output "org.pcilens.result.0=$work/result" \
	"${qemu_options[@]}" </dev/null 2>"$work/errors" &
machine=$!
# Shown while it comes. A file and no pipe: the guest does not wait for what it
# wrote to be read, and would end with output still on its side.
tail -n +1 -f -s 0.05 --pid="$machine" "$work/output" &
reader=$!
ended=0
wait "$machine" || ended=$?
machine=''
wait "$reader" || true
# What QEMU says about our own TERM at the time limit is no news.
sed -e '/terminating on signal/d' -e '/^vm: /!s/^/qemu: /' "$work/errors" >&2

[[ -s $work/dmesg ]] || cp "$work/console" "$work/dmesg" 2>/dev/null || : >"$work/dmesg"
[[ -z $dmesg ]] || cp "$work/dmesg" "$dmesg"
read -r _ code 2>/dev/null <"$work/result" || code=''

complained=$(grep -nEf "$complaints" "$work/dmesg" | grep -vE "$allow" || true)
if [[ -n $complained ]]; then
	say "the kernel complained:"
	# With what follows: the first trace says more than all the rest.
	first=${complained%%:*}
	{
		tail -n "+$first" "$work/dmesg" | head -n 40
		echo '...'
		tail -n +2 <<<"$complained" | head -n 20
	} | sed 's/^/    /' >&2
fi
if ((ended == 124 || ended == 137)); then
	say "no end after $limit s; the console's last lines:"
	tail -n 30 "$work/console" >&2
	exit 124
fi
if ((ended != 0)); then
	die "QEMU ended with code $ended"
fi
if [[ -z $code ]]; then
	if [[ -n $complained ]]; then
		say "the guest ended before its script did"
	else
		say "the guest ended before its script did; the console's last lines:"
		[[ ! -e $work/console ]] || tail -n 30 "$work/console" >&2
	fi
	exit 2
fi
if ((code == 0)) && [[ -n $complained ]]; then
	exit 1
fi
exit "$code"
