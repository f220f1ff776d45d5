# SPDX-License-Identifier: Apache-2.0
# Fish completion for trawl.

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

# All
complete -c trawl -n '__trawl_is_not stat' -s x -l one-file-system -d 'stay on the file system of each operand'
complete -c trawl -s L -l dereference -d 'follow symbolic links'
complete -c trawl -l json -d 'one JSON document'
complete -c trawl -l progress -f -a 'auto always never' -d 'a line on standard error while it runs'
complete -c trawl -l threads -x -d 'number of workers'
complete -c trawl -l timeout -x -d 'stop after a while and show what was counted'
complete -c trawl -l stall-timeout -x -d 'give up on what a dead server holds up'
complete -c trawl -l stats -f -a 'text json' -d 'what the engine did, on standard error'
complete -c trawl -l help -d 'show the options'
complete -c trawl -l version -d 'show the version'

# The picture and trawl du
complete -c trawl -n '__trawl_is_not list stat' -l apparent-size -d 'sizes as files have them'
complete -c trawl -n '__trawl_is_not list stat' -l exclude -x -d 'leave out what matches a pattern'
complete -c trawl -n '__trawl_is_not list stat' -s X -l exclude-from -r -F -d 'leave out what matches a pattern in a file'
complete -c trawl -n '__trawl_is_not list stat' -l trace -r -F -d 'write a timeline of the workers'

# The picture
complete -c trawl -n '__trawl_is_not du list stat' -l count -d 'count files and directories'
complete -c trawl -n '__trawl_is_not du list stat' -s d -l depth -x -d 'show no more than N levels'
complete -c trawl -n '__trawl_is_not du list stat' -s n -l top -x -d 'show the N biggest'
complete -c trawl -n '__trawl_is_not du list stat' -l min-share -x -d 'show nothing smaller than P per cent'
complete -c trawl -n '__trawl_is_not du list stat' -l sort -x -a 'size count name' -d order
complete -c trawl -n '__trawl_is_not du list stat' -s r -l reverse -d 'the other way round'
complete -c trawl -n '__trawl_is_not du list stat' -l errors -d 'list everything that could not be read'
complete -c trawl -n '__trawl_is_not du list stat' -l color -f -a 'auto always never' -d 'use colors'
complete -c trawl -n '__trawl_is_not du list stat' -s h -d 'show the options'

# trawl du
complete -c trawl -n '__trawl_is du' -s 0 -l null -d 'end each line with NUL'
complete -c trawl -n '__trawl_is du' -s a -l all -d 'lines for files too'
complete -c trawl -n '__trawl_is du' -s B -l block-size -x -a 'K M G T kB MB GB human-readable si' -d 'count in units of SIZE'
complete -c trawl -n '__trawl_is du' -s b -l bytes -d 'apparent sizes in bytes'
complete -c trawl -n '__trawl_is du' -s c -l total -d 'a grand total at the end'
complete -c trawl -n '__trawl_is du' -s D -s H -l dereference-args -d 'follow links that are given as FILE'
complete -c trawl -n '__trawl_is du' -s d -l max-depth -x -d 'no lines for more than N levels below'
complete -c trawl -n '__trawl_is du' -l files0-from -r -F -d 'take the names from a file'
complete -c trawl -n '__trawl_is du' -s h -l human-readable -d 'figures such as 1.5K, 20M, 3G'
complete -c trawl -n '__trawl_is du' -l inodes -d 'count inodes instead of blocks'
complete -c trawl -n '__trawl_is du' -s k -d 'count in KiB'
complete -c trawl -n '__trawl_is du' -s m -d 'count in MiB'
complete -c trawl -n '__trawl_is du' -s l -l count-links -d 'count every hard link'
complete -c trawl -n '__trawl_is du' -s P -l no-dereference -d 'follow no symbolic links'
complete -c trawl -n '__trawl_is du' -s S -l separate-dirs -d 'leave subdirectories out of the figures'
complete -c trawl -n '__trawl_is du' -l si -d 'like -h, in powers of 1000'
complete -c trawl -n '__trawl_is du' -s s -l summarize -d 'only one line for each FILE'
complete -c trawl -n '__trawl_is du' -s t -l threshold -x -d 'only lines of at least SIZE'
complete -c trawl -n '__trawl_is du' -l time -f -a 'atime access use ctime status' -d 'show the latest change'
complete -c trawl -n '__trawl_is du' -l time-style -x -a 'full-iso long-iso iso +' -d 'style of times'

# trawl list
complete -c trawl -n '__trawl_is list' -s 0 -l null -d 'end each line with NUL'
complete -c trawl -n '__trawl_is list' -l long -d 'lines like those of ls -l'
complete -c trawl -n '__trawl_is list' -l format -x -d 'lines made of fields'
complete -c trawl -n '__trawl_is list' -l csv -d 'comma-separated values'
complete -c trawl -n '__trawl_is list' -l stat -x -a 'none basic all' -d 'metadata to ask for'
complete -c trawl -n '__trawl_is list' -l relative -d 'paths without PATH'
complete -c trawl -n '__trawl_is list' -l order -x -a 'unordered component bytes rsync rsync28' -d 'order of the entries'
complete -c trawl -n '__trawl_is list' -l type -x -a 'f d l s p b c' -d 'only these types'
complete -c trawl -n '__trawl_is list' -l min-depth -x -d 'nothing less than N levels below'
complete -c trawl -n '__trawl_is list' -l max-depth -x -d 'nothing more than N levels below'
complete -c trawl -n '__trawl_is list' -l follow -f -a 'never roots all' -d 'follow symbolic links'
complete -c trawl -n '__trawl_is list' -l safe-links -d 'leave out symbolic links that lead out of PATH'
complete -c trawl -n '__trawl_is list' -s h -d 'show the options'

# trawl stat
complete -c trawl -n '__trawl_is stat' -l files-from -r -F -d 'take the paths from a file'
complete -c trawl -n '__trawl_is stat' -s 0 -l null -d 'paths in the list and lines end with NUL'
complete -c trawl -n '__trawl_is stat' -l follow -d 'of what symbolic links lead to'
complete -c trawl -n '__trawl_is stat' -l long -d 'lines like those of ls -l'
complete -c trawl -n '__trawl_is stat' -s c -l format -x -d 'lines with directives of GNU stat'
complete -c trawl -n '__trawl_is stat' -l printf -x -d 'the same with escapes, without newlines'
complete -c trawl -n '__trawl_is stat' -l fields -x -d 'lines made of fields'
complete -c trawl -n '__trawl_is stat' -l csv -d 'comma-separated values'
complete -c trawl -n '__trawl_is stat' -s h -d 'show the options'
