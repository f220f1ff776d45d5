# SPDX-License-Identifier: Apache-2.0
# Bash completion for trawl. Needs bash alone; with bash-completion it is loaded on first use.
# From the tables of options in src/cli; `./dev docs` writes it.

_trawl() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' letters options operands words='' kind='' list='' name='' prefix='' ended='' i
  COMPREPLY=()

  # `letters` take an argument.
  [[ $COMP_CWORD -gt 1 ]] && command=${COMP_WORDS[1]}
  case $command in
    du)
      letters='BdXt' operands='f'
      options='--all --apparent-size --block-size= --bytes --count-links --dereference
        --dereference-args --exclude-caches --exclude-from= --exclude= --files0-from= --help
        --human-readable --ignore-file= --inodes --json --max-depth= --no-dereference --null
        --one-file-system --progress --progress= --respect-ignore --separate-dirs --si
        --stall-timeout= --stats --stats= --summarize --threads= --threshold= --time
        --time-style= --time= --timeout= --total --trace= --version'
      ;;
    find)
      letters='EdCteSocxXj' operands='d'
      options='--absolute-path --and= --base-directory= --batch-size= --by= --case-sensitive
        --changed-before= --changed-within= --color= --exact --exact-depth= --exclude=
        --exec-batch= --exec= --explain --extension= --fixed-strings --follow --format=
        --full-path --glob --help --hidden --hyperlink --hyperlink= --ignore-case
        --ignore-contain= --ignore-file= --json --links= --list-details --max-depth=
        --max-results= --min-depth= --newer-than= --no-global-ignore-file --no-ignore
        --no-ignore-parent --no-ignore-vcs --no-require-git --one-file-system --owner=
        --path-separator= --perm= --print0 --progress --progress= --prune --quiet --regex
        --search-path= --show-errors --size= --sort= --stall-timeout= --stats --stats=
        --strip-cwd-prefix --strip-cwd-prefix= --threads= --timeout= --top= --type=
        --unrestricted --version'
      ;;
    ignored)
      letters=' ' operands='f'
      options='--help --ignore-file= --ignore-name= --no-index --non-matching --quiet --stdin
        --verbose --version'
      ;;
    list)
      letters='X' operands='f'
      options='--arrow= --csv --dereference --exclude-caches --exclude-from= --exclude=
        --follow --follow= --format= --help --ignore-file= --json --long --max-depth=
        --min-depth= --null --one-file-system --order= --progress --progress= --relative
        --respect-ignore --safe-links --stall-timeout= --stat= --stats --stats= --threads=
        --timeout= --type= --version'
      ;;
    stat)
      letters='c' operands='f'
      options='--csv --dereference --fields= --files-from= --follow --format= --help --json
        --long --null --printf= --progress --progress= --stall-timeout= --stats --stats=
        --threads= --timeout= --version'
      ;;
    *)
      command=''
      letters='dnX' operands='f'
      options='--apparent-size --color --color= --count --depth= --dereference --errors
        --exclude-caches --exclude-from= --exclude= --help --ignore-file= --json --min-share=
        --one-file-system --progress --progress= --respect-ignore --reverse --sort=
        --stall-timeout= --stats --stats= --threads= --timeout= --top= --trace= --version'
      ;;
  esac

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
  elif [[ $previous == -[!-]* && $previous =~ ^-[^$letters]*([$letters])$ ]]; then
    name=-${BASH_REMATCH[1]}
  fi

  # `kind` is a letter of compgen's.
  if [[ $name ]]; then
    case $command$name in
      --sort)
        words='size count name' ;;
      -X | --exclude-from | --ignore-file | --trace | du-X | du--exclude-from | \
        du--files0-from | du--trace | du--ignore-file | find--ignore-file | find--newer-than | \
        ignored--ignore-file | list--arrow | list-X | list--exclude-from | list--ignore-file | \
        stat--files-from)
        kind=f ;;
      --color | --progress | du--progress | find-c | find--color | find--hyperlink | \
        find--strip-cwd-prefix | find--progress | list--progress | stat--progress)
        words='auto always never' ;;
      --stats | du--stats | find--stats | list--stats | stat--stats)
        words='text json' ;;
      du-B | du--block-size)
        words='K M G T kB MB GB human-readable si' ;;
      du--time)
        words='atime access use ctime status' ;;
      du--time-style)
        words='full-iso long-iso iso +' ;;
      find-C | find--base-directory | find--search-path)
        kind=d ;;
      find-t | find--type)
        words='file directory symlink socket pipe block-device char-device executable empty' ;;
      find-o | find--owner)
        kind=u ;;
      find--sort)
        words='name path size mtime' ;;
      find--by)
        words='size mtime ctime' ;;
      find-x | find--exec | find-X | find--exec-batch)
        kind=c ;;
      list--stat)
        words='none basic all' ;;
      list--order)
        words='unordered component bytes rsync rsync28' ;;
      list--type)
        words='f d l s p b c' list=1 ;;
      list--follow)
        words='never roots all' ;;
      *) return ;;
    esac
  elif [[ $word == -* && ! $ended ]]; then
    words=$options
  elif [[ $COMP_CWORD -eq 1 ]]; then
    words='du find ignored list stat help' kind=f
  elif [[ $COMP_CWORD -eq 2 && ${COMP_WORDS[1]} == help ]]; then
    words='du find ignored list stat'
  else
    kind=$operands
  fi

  if [[ $list && $word == *,* ]]; then
    prefix+=${word%,*}, word=${word##*,}
  fi
  local reply
  while IFS= read -r reply; do
    COMPREPLY+=("$prefix$reply")
  done < <(compgen -W "$words" -- "$word")
  if [[ $kind ]]; then
    while IFS= read -r reply; do
      COMPREPLY+=("$prefix$reply")
    done < <(compgen "-$kind" -- "$word")
    [[ $kind == [fd] ]] && compopt -o filenames 2>/dev/null
  fi
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == --*= ]]; then
    compopt -o nospace 2>/dev/null
  fi
}

complete -F _trawl trawl
