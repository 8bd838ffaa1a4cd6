# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# bash completion for vmcore-summary. Commands and options come from the program's own --help.

_vmcore_summary_commands() {
    vmcore-summary --help 2> /dev/null |
        awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'
}

_vmcore_summary_options() { # COMMAND
    vmcore-summary "$1" --help 2> /dev/null | grep -oE '(^|[ ,])--[a-z][a-z-]*' | tr -d ' ,' | sort -u
}

_vmcore_summary() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]}

    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_vmcore_summary_commands) --help --version" -- "$cur")
        return
    fi
    case $prev in
    -s | --section)
        if [ "$command" = diff ]; then
            mapfile -t COMPREPLY < <(compgen -W "memory zone slab task module" -- "$cur")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W \
            "header crash dmesg oom memory zone slab task module trailer" -- "$cur")
        return
        ;;
    --ignore)
        mapfile -t COMPREPLY < <(compgen -W "$(vmcore-summary check --help |
            awk '/^Items:/ { on = 1; next } on { print $1 }')" -- "$cur")
        return
        ;;
    --color)
        mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur")
        return
        ;;
    --compression | --dump-compression)
        mapfile -t COMPREPLY < <(compgen -W "none lzo snappy zlib zstd" -- "$cur")
        return
        ;;
    -D | --target | --dump-target | --output | --directory | --root)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    esac
    case $cur in
    -*) mapfile -t COMPREPLY < <(compgen -W "$(_vmcore_summary_options "$command")" -- "$cur") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
}

complete -o filenames -F _vmcore_summary vmcore-summary
