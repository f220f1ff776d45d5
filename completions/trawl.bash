# SPDX-License-Identifier: Apache-2.0
# Bash completion for trawl. Needs bash alone; with bash-completion it is loaded on first use.

_trawl() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command=picture short_with_argument='dnX' options words='' kind='' name='' prefix='' ended='' i
  COMPREPLY=()

  if [[ ${COMP_WORDS[1]} == du && $COMP_CWORD -gt 1 ]]; then
    command=du short_with_argument='BdtX'
    options='--all --apparent-size --block-size= --bytes --count-links --dereference
      --dereference-args --exclude= --exclude-from= --files0-from= --help --human-readable --inodes
      --json --max-depth= --no-dereference --null --one-file-system --progress --progress=
      --separate-dirs --si --stall-timeout= --stats --stats= --summarize --threads= --threshold= --time --time= --time-style=
      --timeout= --total --trace= --version'
  elif [[ ${COMP_WORDS[1]} == list && $COMP_CWORD -gt 1 ]]; then
    command=list short_with_argument=' '
    options='--csv --dereference --follow --follow= --format= --help --json --long --max-depth=
      --min-depth= --null --one-file-system --order= --progress --progress= --relative --safe-links
      --stall-timeout= --stat= --stats --stats= --threads= --timeout= --type= --version'
  elif [[ ${COMP_WORDS[1]} == stat && $COMP_CWORD -gt 1 ]]; then
    command=stat short_with_argument='c'
    options='--csv --dereference --fields= --files-from= --follow --format= --help --json --long --null
      --printf= --progress --progress= --stall-timeout= --stats --stats= --threads= --timeout= --version'
  else
    options='--apparent-size --color --color= --count --depth= --dereference --errors --exclude=
      --exclude-from= --help --json --min-share= --one-file-system --progress --progress= --reverse
      --sort= --stall-timeout= --stats --stats= --threads= --timeout= --top= --trace= --version'
  fi

  for ((i = 1; i < COMP_CWORD; ++i)); do
    [[ ${COMP_WORDS[i]} == -- ]] && ended=1
  done

  # "--name=val" is one word, or three where '=' breaks words.
  if [[ $ended ]]; then
    :
  elif [[ $word == --*=* ]]; then
    name=${word%%=*} word=${word#*=} prefix=$name=
  elif [[ $word == '=' && $previous == --* ]]; then
    name=$previous word=''
  elif [[ $previous == '=' && $COMP_CWORD -ge 2 ]]; then
    name=${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $previous == --* && " "$options" " == *[[:space:]]"$previous="[[:space:]]* &&
    " "$options" " != *[[:space:]]"$previous"[[:space:]]* ]]; then
    name=$previous
  elif [[ $previous == -[!-]* && $previous =~ ^-[^$short_with_argument]*([$short_with_argument])$ ]]; then
    case $command${BASH_REMATCH[1]} in
      *X) name=--exclude-from ;;
      duB) name=--block-size ;;
      *) return ;;  # a number
    esac
  fi

  if [[ $name == --* ]]; then
    case $name in
      --color | --progress) words='auto always never' ;;
      --stats) words='text json' ;;
      --stat) words='none basic all' ;;
      --follow) words='never roots all' ;;
      --order) words='unordered component bytes rsync rsync28' ;;
      --type) words='f d l s p b c' ;;
      --sort) words='size count name' ;;
      --time) words='atime access use ctime status' ;;
      --time-style) words='full-iso long-iso iso +' ;;
      --block-size) words='K M G T kB MB GB human-readable si' ;;
      --exclude-from | --files-from | --files0-from | --trace) kind=file ;;
      *) return ;;
    esac
  elif [[ $word == -* && ! $ended ]]; then
    words=$options
  elif [[ $COMP_CWORD -eq 1 ]]; then
    words='du list stat help' kind=file
  elif [[ $COMP_CWORD -eq 2 && ${COMP_WORDS[1]} == help ]]; then
    words='du list stat'
  else
    kind=file
  fi

  local reply
  while IFS= read -r reply; do
    COMPREPLY+=("$prefix$reply")
  done < <(compgen -W "$words" -- "$word")
  if [[ $kind == file ]]; then
    while IFS= read -r reply; do
      COMPREPLY+=("$prefix$reply")
    done < <(compgen -f -- "$word")
    compopt -o filenames 2>/dev/null
  fi
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == --*= ]]; then
    compopt -o nospace 2>/dev/null
  fi
}

complete -F _trawl trawl
