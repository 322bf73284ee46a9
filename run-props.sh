#!/usr/bin/env bash
# The front door of TdxVerify: builds what is needed, then runs it.
#
#   ./run-props.sh                 check every law against the reference for about a minute
#   ./run-props.sh COMMAND ...     any command of tdxverify; ./run-props.sh --help lists them
#   ./run-props.sh test ...        the tests; arguments go to dotnet test (--filter NAME)
#   ./run-props.sh publish         a tdxverify that needs no .NET, in artifacts/publish
#   ./run-props.sh bench --micro   the micro-benchmarks; further arguments go to BenchmarkDotNet
#
# What runs is never what the compiler writes to: a build is copied to artifacts/run/<project>-<fingerprint of the
# sources>. So a run of many hours, a second terminal and a rebuild do not disturb each other, and a build is
# current if and only if its folder exists.
set -euo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd -P)
work=$root/artifacts
wanted_sdk='the .NET SDK 10.0.100 or later of .NET 10 (https://dotnet.microsoft.com/download/dotnet/10.0)'

export HOME=${HOME:-$work/home}
export DOTNET_CLI_TELEMETRY_OPTOUT=${DOTNET_CLI_TELEMETRY_OPTOUT:-1}
export DOTNET_NOLOGO=${DOTNET_NOLOGO:-1}
export DOTNET_SKIP_FIRST_TIME_EXPERIENCE=${DOTNET_SKIP_FIRST_TIME_EXPERIENCE:-1}
export DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE=${DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE:-1}

cannot_run() {
	printf 'run-props.sh: %s\n' "$1" >&2
	exit 2
}

need_dotnet() {
	command -v dotnet >/dev/null || cannot_run "there is no dotnet in PATH; install $wanted_sdk"
}

# global.json decides which SDK is good enough, so dotnet itself is asked.
need_sdk() {
	need_dotnet
	(cd "$root" && dotnet --version) >/dev/null 2>&1 </dev/null ||
		cannot_run "$(command -v dotnet) has no SDK that is new enough; install $wanted_sdk"
}

# One line, hash and path, for each file that the build of a project reads. Contents and not times: a branch that
# is switched back finds its build again, and a deleted file or one copied over with an old date is noticed.
list_sources() {
	local -a without=(-name bin -o -name obj)
	[[ $1 == */TdxVerify.Tests ]] || without+=(-o -name TdxVerify.Tests)
	cd "$root"
	{
		find . -maxdepth 1 -type f ! -name '*.md' ! -name LICENSE -print0
		find Model Properties Hardware -type d \( "${without[@]}" \) -prune -o -type f ! -name '*.md' -print0
	} | LC_ALL=C sort -z | xargs -0 sha1sum
}

# MSBuild goes by times: a changed source that is older than the last build would be left out of the next one.
has_old_change() {
	local sources=$1 built=$2 path
	[[ -e $built ]] || return 1
	while read -r path; do
		[[ $root/$path -nt $built ]] || return 0
	done < <(LC_ALL=C comm -13 <(LC_ALL=C sort "$built") <(LC_ALL=C sort <<<"$sources") | cut -c43-)
	return 1
}

# Errors of a build, each once, with paths relative to the repository.
show_errors() {
	{ grep -E ': error |error (MSB|NU|NETSDK|CS)' "$1" || cat "$1"; } |
		sed -e "s|$root/||g" -e 's| \[[^]]*proj[^]]*\]$||' | awk '!seen[$0]++' >&2
}

# Builds a project unless that was done for these sources. Sets `app` to the folder with the result, and keeps a
# shared lock on it that the program it runs inherits: no other invocation removes a folder in use.
build() {
	local project=$1 name sources fingerprint
	name=$(basename "$project")
	sources=$(list_sources "$project")
	fingerprint=$(sha1sum <<<"$sources")
	app=$work/run/$name-${fingerprint:0:12}

	if [[ ! -d $app ]]; then
		need_sdk
		mkdir -p "$work/run"
		exec {building}>"$work/build.lock"
		flock "$building"
		[[ -d $app ]] || compile "$project" "$name" "$sources"
		exec {building}>&-
	fi

	{ exec {running}<"$app"; } 2>/dev/null && flock -s "$running" && [[ -d $app ]] ||
		cannot_run "the sources changed while they were built; run it again"
}

compile() {
	local project=$1 name=$2 sources=$3 built=$work/run/$2.sources log=$work/$2.log old
	local -a options=(-c Release -nologo -v quiet -clp:NoSummary)
	if has_old_change "$sources" "$built"; then
		options+=(--no-incremental)
	fi
	[[ ! -t 2 ]] || printf 'building %s ...\r' "$name" >&2
	# MSBuild leaves servers running; they must not inherit the lock.
	if ! (cd "$root" && dotnet build "$project" "${options[@]}" </dev/null >"$log" 2>&1 {building}>&-); then
		show_errors "$log"
		cannot_run "the build of $name failed; all it printed is in artifacts/$name.log"
	fi
	[[ ! -t 2 ]] || printf '\033[K' >&2

	# The two before this one stay, for branches that are switched back and forth.
	for old in $(ls -dt "$work/run/$name"-* 2>/dev/null | tail -n +3); do
		flock -n -x "$old" rm -rf "$old" || true
	done
	rm -rf "$work/run/.$name"
	cp -r --reflink=auto "$root/$project/bin/Release/net10.0" "$work/run/.$name"
	mv -T "$work/run/.$name" "$app"
	printf '%s\n' "$sources" >"$built"
}

tdxverify() {
	build Properties/TdxVerify.Cli
	need_dotnet
	exec dotnet "$app/tdxverify.dll" "$@"
}

# The skipped tests of a results file, with their reasons.
show_skipped() {
	sed -n -e '/<UnitTestResult .*outcome="NotExecuted"/ { s/.*testName="\([^"]*\)".*/\1/; h }' \
		-e '/<UnitTestResult .*outcome="[^N]/ { s/.*//; h }' \
		-e '/<Message>/ { s/^ *<Message>//; s/<\/Message>.*//; x; /./ { G; s/\n/: /; s/^/skipped: /; p; s/.*//; h } }' "$1" |
		sed -e 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'
}

# The last line is the plain `N passed, N failed`.
run_tests() {
	local status=0 counters passed failed skipped
	build Properties/TdxVerify.Tests
	results=$(mktemp -d "${TMPDIR:-/tmp}/tdxverify-test.XXXXXX")
	trap 'rm -rf "$results"' EXIT

	dotnet test "$app/TdxVerify.Tests.dll" --results-directory "$results" --logger 'trx;LogFileName=results.trx' \
		--logger 'console;verbosity=minimal' "$@" </dev/null |
		grep --line-buffered -vE '^(VSTest version|Starting test execution|A total of|Results File|  Skipped |.*\[SKIP\]|$)' ||
		status=${PIPESTATUS[0]}

	counters=$(grep -o '<Counters [^>]*>' "$results/results.trx" 2>/dev/null | tail -n 1) ||
		cannot_run "dotnet test ran no test (its exit status was $status)"
	count() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters"; }
	passed=$(count passed)
	failed=$(($(count failed) + $(count error) + $(count timeout) + $(count aborted)))
	skipped=$(($(count total) - passed - failed))

	if ((passed + failed == 0)); then
		cannot_run "no test ran; see the --filter that was given"
	fi
	if ((status != 0 && failed == 0)); then
		echo "The tests ended early with exit status $status; that counts as one failure."
		failed=1
	fi
	if ((skipped > 0)); then
		show_skipped "$results/results.trx"
		echo "$passed passed, $failed failed, $skipped skipped"
	else
		echo "$passed passed, $failed failed"
	fi
	((failed == 0))
}

publish() {
	local out=$work/publish
	(($# == 0)) || cannot_run "publish takes no argument; it writes artifacts/publish/tdxverify"
	need_sdk
	mkdir -p "$work"
	exec {building}>"$work/build.lock"
	flock "$building"
	rm -rf "$out.new"
	# Its own build folder: a build for one runtime identifier restores other packages than `dotnet build`.
	if ! (cd "$root" && dotnet publish Properties/TdxVerify.Cli -c Release -r linux-x64 --self-contained -v quiet -nologo \
		-p:PublishSingleFile=true -p:PublishReadyToRun=true -p:IncludeNativeLibrariesForSelfExtract=true \
		-p:DebugType=embedded -p:PublishDocumentationFile=false -p:PublishReferencesDocumentationFiles=false \
		--artifacts-path "$work/publish-build" -o "$out.new" </dev/null >"$work/publish.log" 2>&1 {building}>&-); then
		show_errors "$work/publish.log"
		cannot_run "the publish failed; all it printed is in artifacts/publish.log"
	fi
	rm -rf "$out"
	mv -T "$out.new" "$out"
	echo "$out/tdxverify ($(du -h --apparent-size "$out/tdxverify" | cut -f1))"
}

micro_benchmarks() {
	build Properties/TdxVerify.Benchmarks
	need_dotnet
	# BenchmarkDotNet looks for its project, and writes its results, below the current directory.
	cd "$root"
	exec dotnet "$app/TdxVerify.Benchmarks.dll" "$@"
}

case "${1-}" in
'')
	(($# == 0)) || cannot_run "the command is an empty string; ./run-props.sh --help lists the commands"
	tdxverify props
	;;
test)
	run_tests "${@:2}"
	;;
publish)
	publish "${@:2}"
	;;
bench)
	if [[ ${2-} == --micro ]]; then
		micro_benchmarks "${@:3}"
	fi
	tdxverify "$@"
	;;
*)
	tdxverify "$@"
	;;
esac
