#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the guest's root: an uncompressed newc cpio.
#
#   initramfs.sh --kernel KERNEL_DIR -o OUT [options]
#     --start FILE        the script that the guest runs (/etc/pcilens/start)
#     --binary PROG       a program, with the shared libraries that it needs;
#                         PROG:DST puts it at DST, else /usr/bin/NAME
#     --file SRC:DST      a file or a folder, as it is
#     --module NAME|PATH.ko   a kernel module, ready for modprobe, with all that
#                         it depends on
#     --load "NAME|PATH.ko [PARAMETER=VALUE ...]"   the same, loaded at boot
#     --init FILE         instead of guest/init
#
# Slow parts are kept in the cache as cpio segments; the result is segments put
# one behind the other, which the kernel reads as one.

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

segments="$cache_dir/initramfs"
kernel='' out='' init="$vm_dir/guest/init" start=''
binaries=() files=() modules=() load=()
# Without these the guest cannot talk to the host.
transport=(virtio_pci virtio_console)

while (($# > 0)); do
	case $1 in
	-h | --help) usage && exit ;;
	esac
	(($# > 1)) || die "initramfs.sh: $1 wants a value; see --help"
	case $1 in
	--kernel) kernel=$2 ;;
	-o) out=$2 ;;
	--init) init=$2 ;;
	--start) start=$2 ;;
	--binary) binaries+=("$2") ;;
	--file) files+=("$2") ;;
	--module) modules+=("$2") ;;
	--load)
		load+=("$2")
		modules+=("${2%% *}")
		;;
	*) die "initramfs.sh: unknown option $1; see --help" ;;
	esac
	shift 2
done
[[ -n $kernel && -n $out ]] || die "initramfs.sh: --kernel and -o are needed; see --help"
[[ -e $kernel/release ]] || die "$kernel is no folder that kernel.sh made"
need cpio cpio busybox busybox-static
read -r release <"$kernel/release"

work=$(mktemp -d)
# Whichever step found no room has said so in its own words; which disk it is and what to do come here.
ended() {
	local code=$? folder free
	if ((code != 0)); then
		for folder in "$work" "$(dirname "$out")" "$cache_dir"; do
			free=$(df -k --output=avail "$folder" 2>/dev/null | tail -n 1) || continue
			((free < 1024)) || continue
			say "the disk of $folder is full; make room there and start again, nothing is lost"
			break
		done
	fi
	rm -rf "$work" "$out.$$"
}
trap ended EXIT

# The digest of "$@" and of what the named files look like. Sizes and times
# instead of contents: a debug build is hundreds of megabytes.
digest() {
	local files=()
	while [[ ${1-} != -- ]]; do
		files+=("$1")
		shift
	done
	shift
	{
		printf '%s\n' "$@"
		stat -Lc '%n %s %.Y %i' -- "${files[@]}"
	} | sha256sum | cut -c1-24
}

# pack FOLDER OUT: OUT appears complete or not at all.
pack() {
	mkdir -p "$(dirname "$2")"
	local partial="$2.$$"
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio -0 -o -H newc -R 0:0 --reproducible --quiet) >"$partial" ||
		{ rm -f "$partial" && die "cannot write $2"; }
	mv "$partial" "$2"
	# What no start has used for a week is of an older build.
	find "$segments" -maxdepth 1 -type f -mtime +7 -delete
}

# The tree of a segment is made by $2..., unless the cache has it.
segment() {
	local name=$1 tree="$work/$1"
	shift
	if [[ -e $segments/$name.cpio ]]; then
		touch -c "$segments/$name.cpio"
	else
		mkdir -p "$tree"
		"$@" "$tree"
		pack "$tree" "$segments/$name.cpio"
	fi
	parts+=("$segments/$name.cpio")
}

base_tree() {
	local root=$1 applet
	# /usr merged, like the machine that the libraries come from.
	mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{proc,sys,dev,run,tmp,root,mnt,etc/pcilens}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$root"
	cp "$(command -v busybox)" "$root/usr/bin/busybox"
	# busybox --install in the guest would be a fork more at every boot.
	while read -r applet; do
		ln -s busybox "$root/usr/bin/$applet"
	done < <(busybox --list | grep -vx busybox)
	install -m 755 "$init" "$root/init"
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\n' >"$root/etc/group"
}

# One line a file: what the loader would map for a program, and the loader.
libraries() {
	local listing
	# A static program has none, and ldd says so with an error.
	listing=$(LC_ALL=C ldd "$1" 2>/dev/null) || return 0
	if grep -q 'not found' <<<"$listing"; then
		die "$1 needs$(sed -n 's/ => not found//p' <<<"$listing" | tr '\t\n' ' ,' | sed 's/,$//'), not found on this machine"
	fi
	sed -n 's/^.* => \(\/.*\) (0x.*$/\1/p; s/^\t\(\/.*\) (0x.*$/\1/p' <<<"$listing"
}

# /lib and /bin are links into /usr, here and in the guest.
usr_path() {
	case $1 in
	/bin/* | /sbin/* | /lib/* | /lib64/*) echo "/usr$1" ;;
	*) echo "$1" ;;
	esac
}

# Debug sections are no use in the guest and cost it memory; symbols stay, for
# backtraces.
install_program() {
	mkdir -p "$(dirname "$2")"
	strip --strip-debug -o "$2" "$1" 2>/dev/null || cp -L "$1" "$2"
	chmod 755 "$2"
}

binary_tree() {
	local root=$1 i library destination
	for i in "${!binary_paths[@]}"; do
		install_program "${binary_paths[i]}" "$root${binary_targets[i]}"
		while read -r library; do
			destination=$root$(usr_path "$library")
			[[ -e $destination ]] || install_program "$library" "$destination"
		done < <(libraries "${binary_paths[i]}")
	done
}

# The line of modules.dep that starts with the module's file, for a name in
# either spelling. Nothing for a built-in module.
dependency_line() {
	local pattern=${1//[-_]/[-_]}
	grep -m1 -E "(^|/)$pattern\.ko(\.xz|\.zst|\.gz)?:" "$kernel/modules/modules.dep" || true
}

is_builtin() {
	grep -qE "/${1//[-_]/[-_]}\.ko\$" "$kernel/modules/modules.builtin"
}

# Copies a module of the kernel's and its dependencies, unpacked: the guest's
# modprobe may not know the compression.
kernel_module() {
	local name=$1 target=$2 line file plain
	line=$(dependency_line "$name")
	if [[ -z $line ]]; then
		is_builtin "$name" && return
		die "kernel $release has no module $name"
	fi
	for file in ${line/:/ }; do
		plain=$target/${file%.xz}
		[[ ! -e $plain ]] || continue
		mkdir -p "$(dirname "$plain")"
		case $file in
		*.xz) xz -dc "$kernel/modules/$file" >"$plain" ;;
		*.zst) zstd -qdc "$kernel/modules/$file" >"$plain" ;;
		*) cp "$kernel/modules/$file" "$plain" ;;
		esac
	done
}

module_tree() {
	local target=$1/usr/lib/modules/$release module dependency
	mkdir -p "$target"
	for module in "${transport[@]}" "${modules[@]}"; do
		if [[ $module != *.ko ]]; then
			kernel_module "$module" "$target"
			continue
		fi
		mkdir -p "$target/updates"
		cp "$module" "$target/updates/"
		for dependency in $(modinfo -F depends "$module" | tr , ' '); do
			# Another module of ours is found by depmod below.
			is_ours "$dependency" || kernel_module "$dependency" "$target"
		done
	done
	cp "$kernel"/modules/modules.{builtin,builtin.modinfo,order} "$target/"
	# depmod wants the place that it looks at in the guest.
	ln -s usr/lib "$1/lib"
	depmod -b "$1" "$release"
	rm "$1/lib" "$target"/modules.{builtin.modinfo,order}
}

is_ours() {
	local module
	for module in "${modules[@]}"; do
		[[ $module == *.ko ]] || continue
		[[ $(basename "$module" .ko | tr - _) != "${1//-/_}" ]] || return 0
	done
	return 1
}

file_tree() {
	local root=$1 entry source destination module
	mkdir -p "$root/etc/pcilens"
	for entry in "${files[@]}"; do
		source=${entry%%:*} destination=$root/${entry#*:}
		[[ $entry == *:/* ]] || die "--file $entry: want SRC:DST, with DST an absolute path"
		[[ -e $source ]] || die "--file $entry: there is no $source"
		mkdir -p "$(dirname "$destination")"
		cp -aLT "$source" "$destination"
	done
	if [[ -n $start ]]; then
		cp "$start" "$root/etc/pcilens/start"
	else
		printf 'exec sh -l\n' >"$root/etc/pcilens/start"
	fi
	printf '%s\n' "${transport[@]}" >"$root/etc/pcilens/modules"
	for module in "${load[@]}"; do
		local name=${module%% *} parameters=''
		[[ $module != *' '* ]] || parameters=" ${module#* }"
		echo "$(basename "$name" .ko)$parameters" >>"$root/etc/pcilens/modules"
	done
}

binary_paths=() binary_targets=() binary_files=()
for binary in "${binaries[@]}"; do
	path=$(command -v -- "${binary%%:*}") || die "--binary $binary: no such program on this machine; write the name of one in PATH or a file, as in ./tool:/usr/bin/tool"
	path=$(realpath -s "$path")
	target=/usr/bin/$(basename "$path")
	[[ $binary != *:* ]] || target=${binary#*:}
	binary_paths+=("$path")
	binary_targets+=("$(usr_path "$target")")
	# Rebuilt libraries of the same build tree must not go unnoticed.
	mapfile -t -O "${#binary_files[@]}" binary_files < <(libraries "$path")
done
module_files=()
for module in "${modules[@]}"; do
	[[ $module != *.ko ]] || module_files+=("$module")
done
for module in "${module_files[@]}"; do
	[[ -e $module ]] || die "--module $module: no such file"
done

parts=()
segment "base-$(digest "$0" "$init" "$(command -v busybox)" --)" base_tree
segment "modules-$(digest "$0" "${module_files[@]}" -- "$release" "${modules[@]}")" module_tree
if ((${#binaries[@]} > 0)); then
	segment "programs-$(digest "$0" "${binary_paths[@]}" "${binary_files[@]}" -- "${binary_targets[@]}")" binary_tree
fi
mkdir "$work/files"
file_tree "$work/files"
(cd "$work/files" && find . -mindepth 1 -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc -R 0:0 --quiet) >"$work/files.cpio"
cat "${parts[@]}" "$work/files.cpio" >"$out.$$"
mv "$out.$$" "$out"
