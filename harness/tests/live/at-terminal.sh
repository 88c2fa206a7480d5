# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# A real terminal for a test, by tmux: sourced after lib.sh. $socket names its server, which a test may set to have several.
socket=$work/tmux

# Not by way of marked(): it is no harness, and there are very many of them.
at_terminal() { timeout --signal=KILL 60 env "$mark" tmux -S "$socket" "$@" </dev/null; }
# A server that is about to end still takes the next session, and loses it ("server exited unexpectedly"): its end is waited for.
close_terminal()
{
	local server _
	server=$(at_terminal display-message -p '#{pid}' 2>/dev/null) || return 0
	at_terminal kill-server 2>/dev/null
	for _ in $(seq 100); do
		[ -d "/proc/$server" ] || break
		sleep 0.05
	done
	rm -f "$socket"
}
screen() { at_terminal capture-pane -p 2>/dev/null | sed 's/ *$//'; }
seen() # regex: waits until it is on the screen
{
	local _
	for _ in $(seq 600); do
		screen | grep -qE -- "$1" && return 0
		sleep "${look_every:-0.05}"
	done
	diag "never seen: $1" "$(screen | grep . | tail -n 15)"
	return 1
}
types() { at_terminal send-keys -l "$1" && at_terminal send-keys Enter; }
# Regex: a lesson comes to its end, which this is on the screen. The answers to its last questions are looked at where there are any.
lesson_ends()
{
	seen "Enter: the answers|$1" || return 1
	screen | grep -qE -- "$1" || types "" && seen "$1"
}
# In the shell of a lesson that is not solved: several who ask are each answered, and by what came of it.
# shellcheck disable=SC2016 # expanded by the shell that it is typed into
several_ask_at_once()
{
	types '(_ask nothing) & (_ask nothing) & _ask nothing; echo nothing $?; wait; echo all were answered' && seen '^all were answered'
	like "several who ask at once: each is answered" "$(screen)" '^all were answered'
	like "what nobody knows is not done" "$(screen)" '^nothing 1'
	types 'check & check; echo both $?; wait; echo both were checked' && seen '^both were checked'
	like "two checks at once: both are made" "$(screen)" '^both were checked'
	like "and what they say is their status" "$(screen)" '^both 1'
}
trap 'close_terminal; take_down' EXIT
