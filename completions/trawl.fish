# SPDX-License-Identifier: Apache-2.0
# Fish completion for trawl. From the tables of options in src/cli; `./dev docs` writes it.

function __trawl_is
    set -l words (commandline -opc)
    test (count $words) -ge 2; and contains -- "$words[2]" $argv
end

function __trawl_is_not
    not __trawl_is $argv
end

function __trawl_is_first
    test (count (commandline -opc)) -eq 1
end

function __trawl_is_help
    set -l words (commandline -opc)
    test (count $words) -eq 2; and test "$words[2]" = help
end

complete -c trawl -n __trawl_is_first -a du -d 'disk usage as GNU du reports it'
complete -c trawl -n __trawl_is_first -a list -d 'every entry below a path'
complete -c trawl -n __trawl_is_first -a stat -d 'metadata of given paths'
complete -c trawl -n __trawl_is_first -a help -d 'show the options'
complete -c trawl -n __trawl_is_help -f -a 'du list stat'

# trawl
complete -c trawl -n '__trawl_is_not du list stat help' -l apparent-size -d 'sizes as files have them, not the space that they take'
complete -c trawl -n '__trawl_is_not du list stat help' -l count -d 'count files and directories instead of sizes'
complete -c trawl -n '__trawl_is_not du list stat help' -s d -l depth -x -d 'show no more than N levels'
complete -c trawl -n '__trawl_is_not du list stat help' -s n -l top -x -d 'show the N biggest, whatever the height of the terminal'
complete -c trawl -n '__trawl_is_not du list stat help' -l min-share -x -d 'show nothing smaller than P per cent of the whole'
complete -c trawl -n '__trawl_is_not du list stat help' -l sort -x -a 'size count name' -d 'order'
complete -c trawl -n '__trawl_is_not du list stat help' -s r -l reverse -d 'the other way round'
complete -c trawl -n '__trawl_is_not du list stat help' -s x -l one-file-system -d 'stay on the file system of each PATH'
complete -c trawl -n '__trawl_is_not du list stat help' -s L -l dereference -d 'follow symbolic links'
complete -c trawl -n '__trawl_is_not du list stat help' -l exclude -x -d 'leave out what matches PATTERN'
complete -c trawl -n '__trawl_is_not du list stat help' -s X -l exclude-from -r -F -d 'leave out what matches a pattern in FILE'
complete -c trawl -n '__trawl_is_not du list stat help' -l json -d 'one JSON document instead of the picture'
complete -c trawl -n '__trawl_is_not du list stat help' -l errors -d 'list everything that could not be read'
complete -c trawl -n '__trawl_is_not du list stat help' -l color -f -a 'auto always never' -d 'use colors'
complete -c trawl -n '__trawl_is_not du list stat help' -l progress -f -a 'auto always never' -d 'a line on standard error while it runs'
complete -c trawl -n '__trawl_is_not du list stat help' -l threads -x -d 'number of workers'
complete -c trawl -n '__trawl_is_not du list stat help' -l timeout -x -d 'stop after a while and show what was found'
complete -c trawl -n '__trawl_is_not du list stat help' -l stall-timeout -x -d 'give up on what a dead server holds up'
complete -c trawl -n '__trawl_is_not du list stat help' -l stats -f -a 'text json' -d 'what the engine did, on standard error'
complete -c trawl -n '__trawl_is_not du list stat help' -l trace -r -F -d 'write a timeline for Perfetto or chrome://tracing to FILE'
complete -c trawl -n '__trawl_is_not du list stat help' -s h -l help -d 'show the options'
complete -c trawl -n '__trawl_is_not du list stat help' -l version -d 'show the version'

# trawl du
complete -c trawl -n '__trawl_is du' -s 0 -l null -d 'end each line with NUL instead of newline'
complete -c trawl -n '__trawl_is du' -s a -l all -d 'lines for files too, not only directories'
complete -c trawl -n '__trawl_is du' -l apparent-size -d 'sizes as files have them, not the space that they take'
complete -c trawl -n '__trawl_is du' -s B -l block-size -x -a 'K M G T kB MB GB human-readable si' -d 'count in units of SIZE'
complete -c trawl -n '__trawl_is du' -s b -l bytes -d 'apparent sizes in bytes'
complete -c trawl -n '__trawl_is du' -s c -l total -d 'a grand total at the end'
complete -c trawl -n '__trawl_is du' -s D -s H -l dereference-args -d 'follow symbolic links that are given as FILE'
complete -c trawl -n '__trawl_is du' -s d -l max-depth -x -d 'no lines for what is more than N levels below FILE'
complete -c trawl -n '__trawl_is du' -l exclude -x -d 'leave out what matches PATTERN'
complete -c trawl -n '__trawl_is du' -s X -l exclude-from -r -F -d 'leave out what matches a pattern in FILE'
complete -c trawl -n '__trawl_is du' -l files0-from -r -F -d 'take the names from a file'
complete -c trawl -n '__trawl_is du' -s h -l human-readable -d 'figures such as 1.5K, 20M, 3G'
complete -c trawl -n '__trawl_is du' -l inodes -d 'count inodes instead of blocks'
complete -c trawl -n '__trawl_is du' -s k -d 'same as --block-size=1K'
complete -c trawl -n '__trawl_is du' -s L -l dereference -d 'follow all symbolic links'
complete -c trawl -n '__trawl_is du' -s l -l count-links -d 'count every name of a file with several hard links'
complete -c trawl -n '__trawl_is du' -s m -d 'same as --block-size=1M'
complete -c trawl -n '__trawl_is du' -s P -l no-dereference -d 'follow no symbolic links'
complete -c trawl -n '__trawl_is du' -s S -l separate-dirs -d 'a directory\'s figure leaves out its subdirectories'
complete -c trawl -n '__trawl_is du' -l si -d 'like -h, but in powers of 1000'
complete -c trawl -n '__trawl_is du' -s s -l summarize -d 'only one line for each FILE'
complete -c trawl -n '__trawl_is du' -s t -l threshold -x -d 'only lines of at least SIZE; if negative, of at most'
complete -c trawl -n '__trawl_is du' -l time -f -a 'atime access use ctime status' -d 'show the latest change'
complete -c trawl -n '__trawl_is du' -l time-style -x -a 'full-iso long-iso iso +' -d 'style of times'
complete -c trawl -n '__trawl_is du' -s x -l one-file-system -d 'stay on the file system of each FILE'
complete -c trawl -n '__trawl_is du' -l help -d 'show the options'
complete -c trawl -n '__trawl_is du' -l version -d 'show the version'
complete -c trawl -n '__trawl_is du' -l threads -x -d 'number of workers'
complete -c trawl -n '__trawl_is du' -l timeout -x -d 'stop after a while and show what was found'
complete -c trawl -n '__trawl_is du' -l stall-timeout -x -d 'give up on what a dead server holds up'
complete -c trawl -n '__trawl_is du' -l json -d 'one JSON document instead of lines'
complete -c trawl -n '__trawl_is du' -l progress -f -a 'auto always never' -d 'a line on standard error while it runs'
complete -c trawl -n '__trawl_is du' -l stats -f -a 'text json' -d 'what the engine did, on standard error'
complete -c trawl -n '__trawl_is du' -l trace -r -F -d 'write a timeline for Perfetto or chrome://tracing to FILE'

# trawl list
complete -c trawl -n '__trawl_is list' -s 0 -l null -d 'end each line with NUL instead of newline'
complete -c trawl -n '__trawl_is list' -l long -d 'lines like those of ls -l'
complete -c trawl -n '__trawl_is list' -l format -x -d 'lines made of fields'
complete -c trawl -n '__trawl_is list' -l json -d 'an object a line'
complete -c trawl -n '__trawl_is list' -l csv -d 'comma-separated values, names of the columns first'
complete -c trawl -n '__trawl_is list' -l stat -x -a 'none basic all' -d 'metadata to ask for'
complete -c trawl -n '__trawl_is list' -l relative -d 'paths without PATH'
complete -c trawl -n '__trawl_is list' -l order -x -a 'unordered component bytes rsync rsync28' -d 'order of the entries'
complete -c trawl -n '__trawl_is list' -l type -x -a '(__fish_complete_list , \'printf "f\\nd\\nl\\ns\\np\\nb\\nc\\n"\')' -d 'only these types'
complete -c trawl -n '__trawl_is list' -l min-depth -x -d 'nothing less than N levels below PATH'
complete -c trawl -n '__trawl_is list' -l max-depth -x -d 'nothing more than N levels below PATH'
complete -c trawl -n '__trawl_is list' -l follow -f -a 'never roots all' -d 'follow symbolic links'
complete -c trawl -n '__trawl_is list' -s L -l dereference -d 'follow all symbolic links'
complete -c trawl -n '__trawl_is list' -s x -l one-file-system -d 'stay on the file system of each PATH'
complete -c trawl -n '__trawl_is list' -l safe-links -d 'leave out symbolic links that lead out of PATH'
complete -c trawl -n '__trawl_is list' -l threads -x -d 'number of workers'
complete -c trawl -n '__trawl_is list' -l timeout -x -d 'stop after a while and show what was found'
complete -c trawl -n '__trawl_is list' -l stall-timeout -x -d 'give up on what a dead server holds up'
complete -c trawl -n '__trawl_is list' -l progress -f -a 'auto always never' -d 'a line on standard error while it runs'
complete -c trawl -n '__trawl_is list' -l stats -f -a 'text json' -d 'what the engine did, on standard error'
complete -c trawl -n '__trawl_is list' -s h -l help -d 'show the options'
complete -c trawl -n '__trawl_is list' -l version -d 'show the version'

# trawl stat
complete -c trawl -n '__trawl_is stat' -l files-from -r -F -d 'take the paths from FILE, one a line'
complete -c trawl -n '__trawl_is stat' -s 0 -l null -d 'end paths in FILE, and each line of output, with NUL'
complete -c trawl -n '__trawl_is stat' -s L -l follow -l dereference -d 'of what symbolic links lead to, not of the links'
complete -c trawl -n '__trawl_is stat' -l long -d 'a line as ls -l has it'
complete -c trawl -n '__trawl_is stat' -s c -l format -x -d 'a line in FORMAT, with the directives of GNU stat'
complete -c trawl -n '__trawl_is stat' -l printf -x -d 'as --format, with escapes and without newlines'
complete -c trawl -n '__trawl_is stat' -l fields -x -d 'a line in FORMAT, with named fields'
complete -c trawl -n '__trawl_is stat' -l json -d 'a JSON object a line, also for a path that fails'
complete -c trawl -n '__trawl_is stat' -l csv -d 'comma-separated values'
complete -c trawl -n '__trawl_is stat' -l threads -x -d 'number of workers'
complete -c trawl -n '__trawl_is stat' -l timeout -x -d 'stop after a while and show what was found'
complete -c trawl -n '__trawl_is stat' -l stall-timeout -x -d 'give up on what a dead server holds up'
complete -c trawl -n '__trawl_is stat' -l progress -f -a 'auto always never' -d 'a line on standard error while it runs'
complete -c trawl -n '__trawl_is stat' -l stats -f -a 'text json' -d 'what the engine did, on standard error'
complete -c trawl -n '__trawl_is stat' -s h -l help -d 'show the options'
complete -c trawl -n '__trawl_is stat' -l version -d 'show the version'
