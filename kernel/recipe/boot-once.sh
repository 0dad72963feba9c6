#!/bin/sh
# Boot an arm64 Image once on the virtual board, with foldbench as its init, and
# print the result and, on standard error, the console. For development: the
# agent does the same with deadlines, identity proofs and a log scan.
#
# Usage: boot-once.sh [-p PHASE] [-n NONCE] [-m MIB] [-e WORD]... [-fiP] [-k DIR]
#                     [-x PLUGIN,ARGS] [-d DISK] [-t SECONDS] IMAGE PLAN
#   -p  pages that the phase's helper holds (0)
#   -n  16 hex digits (0123456789abcdef)
#   -m  memory of the guest; preset: the plan's largest size= + 2048
#   -e  a further word for the kernel's command line; may repeat
#   -f  fast profile: no icount, metric ns
#   -i  instructions, also in the fast profile (which has no counter)
#   -P  no port for the results
#   -k  keep result.jsonl, console.txt and initrd.cpio in DIR
#   -x  a plugin for QEMU with its arguments
#   -d  a disk with a file system, for the exercises of files (bench/files.h)
#   -t  end it after so many seconds (600)
# FOLDBENCH names the arm64 binary (build/foldbench-arm64).
set -eu

usage() {
	sed -n 's/^# \{0,1\}//; 2,/^$/p' "$0" | sed '/^set -eu/,$d' >&2
	exit 2
}

port=org.foldwatch.results phase=0 nonce=0123456789abcdef memory='' words='' keep='' metric=instructions fast='' plugin='' disk='' seconds=600
while getopts p:n:m:e:fiPk:x:d:t: o; do
	case $o in
	p) phase=$OPTARG ;;
	n) nonce=$OPTARG ;;
	m) memory=$OPTARG ;;
	e) words="$words $OPTARG" ;;
	f) fast=1 metric=ns---------- ;;
	i) metric=instructions ;;
	P) port='' ;;
	k) keep=$OPTARG ;;
	x) plugin=$OPTARG ;;
	d) disk=$OPTARG ;;
	t) seconds=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 2 ] || usage
image=$1 plan=$2
bench=${FOLDBENCH:-build/foldbench-arm64}
for f in "$image" "$plan" "$bench"; do
	[ -r "$f" ] || { echo "boot-once: cannot read $f" >&2; exit 1; }
done

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
dir=${keep:-$tmp}
mkdir -p "$dir" "$tmp/root/dev"

# Guest memory: the largest size of the plan and 2 GiB.
if [ -z "$memory" ]; then
	memory=$(sed 's/#.*//' "$plan" | grep -o 'size=[0-9]*[MG]' | sed 's/size=//' |
		awk '{ n = $1 + 0; if ($1 ~ /G/) n *= 1024; if (n > max) max = n } END { print max + 2048 }')
fi

cp "$bench" "$tmp/root/init"
cp "$plan" "$tmp/root/plan"
chmod 755 "$tmp/root/init"
# The same bytes whoever packs them, and when.
(cd "$tmp/root" && touch -d @0 . dev init plan &&
	printf '.\ndev\ninit\nplan\n' | cpio --quiet --reproducible -R 0:0 -o -H newc) >"$dir/initrd.cpio"

if [ -n "$fast" ]; then
	set -- -M virt-7.2,gic-version=3 -cpu max,pauth-impdef=on -smp 2 -accel tcg,thread=multi
else
	set -- -M virt-7.2,gic-version=3,dtb-randomness=off -cpu neoverse-n1 -smp 1 \
		-accel tcg,thread=single -icount shift=0,sleep=off -seed 1 \
		-rtc base=2024-01-01T00:00:00,clock=vm
fi
[ -z "$plugin" ] || set -- "$@" -plugin "$plugin"
[ -z "$disk" ] || set -- "$@" -drive "if=none,id=disk,format=raw,cache=unsafe,file=$disk" -device virtio-blk-device,drive=disk
begin=$(date +%s.%N)
timeout "$seconds" qemu-system-aarch64 "$@" -m "${memory}M" \
	-nodefaults -no-user-config -display none -nic none -no-reboot \
	-chardev "file,id=console,path=$dir/console.txt" -serial chardev:console \
	-chardev "file,id=results,path=$dir/result.jsonl" \
	-device virtio-serial-device \
	-device "virtserialport,chardev=results,name=${port:-org.foldwatch.other}" \
	-kernel "$image" -initrd "$dir/initrd.cpio" \
	-append "console=ttyAMA0 nokaslr norandmaps randomize_kstack_offset=off panic=-1 foldwatch.nonce=$nonce foldwatch.phase=$(printf %04d "$phase") foldwatch.metric=$metric$words"
end=$(date +%s.%N)
cat "$dir/console.txt" >&2
echo "boot-once: $(echo "$end $begin" | awk '{ printf "%.1f", $1 - $2 }') s, ${memory} MiB" >&2
cat "$dir/result.jsonl"
