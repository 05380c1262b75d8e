namespace KubeProxy.Host.CommandLine;

/// <summary>Completion for shells, made from the flag table and the subcommands: of names, and of files after flags that name one.</summary>
internal static class Completion
{
    private static readonly string[] Files = ["config", "kubeconfig", "manifests", "write-config-to", "socket"];

    private static readonly (string Flag, string Values)[] Choices =
        [("proxy-mode", "nftables iptables ipvs userspace"), ("to", "nftables iptables ipvs userspace"), ("output", "text json"), ("logging-format", "text json")];

    /// <summary>The script; null for a shell that there is none for.</summary>
    /// <param name="shell">bash, zsh or fish.</param>
    public static string? For(string shell) => shell switch
    {
        "bash" => Bash(),
        "zsh" => "autoload -U +X bashcompinit && bashcompinit\n" + Bash(),
        "fish" => Fish(),
        _ => null,
    };

    private static IEnumerable<string> Names => ["migrate", .. Subcommand.All.Select(subcommand => subcommand.Name)];

    private static System.Collections.Immutable.ImmutableArray<Flag> Own(string name) => Subcommand.All.FirstOrDefault(subcommand => subcommand.Name == name)?.Flags ?? MigrationFlags.All;

    private static IEnumerable<Flag> Common => FlagTable.All.Where(flag => !flag.IsDeprecated).OrderBy(flag => flag.Name, StringComparer.Ordinal);

    private static string Bash() => $$"""
        _kube_proxy() {
            local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" own=""
            [[ "$prev" == "=" ]] && prev="${COMP_WORDS[COMP_CWORD-2]}"
            [[ "$cur" == "=" ]] && { prev="${COMP_WORDS[COMP_CWORD-1]}"; cur=""; }
            case "$prev" in
                {{string.Join('|', Files.Select(name => "--" + name))}}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        {{string.Concat(Choices.Select(choice => $"        --{choice.Flag}) COMPREPLY=($(compgen -W \"{choice.Values}\" -- \"$cur\")); return ;;\n"))}}    esac
            case "${COMP_WORDS[1]}" in
        {{string.Concat(Names.Select(name => $"        {name}) own=\"{string.Join(' ', Own(name).Select(flag => "--" + flag.Name))}\" ;;\n"))}}    esac
            local common="{{string.Join(' ', Common.Select(flag => "--" + flag.Name))}} --help"
            if [[ $COMP_CWORD == 1 ]]; then COMPREPLY=($(compgen -W "{{string.Join(' ', Names)}} $common" -- "$cur"))
            else COMPREPLY=($(compgen -W "$own $common" -- "$cur")); fi
        }
        complete -F _kube_proxy kube-proxy

        """;

    private static string Fish() => string.Concat(
        Names.Select(name => $"complete -c kube-proxy -f -n __fish_use_subcommand -a {name}\n")
            .Concat(Names.SelectMany(name => Own(name).Select(flag => Fish(flag, $"-n '__fish_seen_subcommand_from {name}' "))))
            .Concat(Common.Select(flag => Fish(flag, ""))));

    private static string Fish(Flag flag, string condition)
    {
        var choice = Choices.FirstOrDefault(choice => choice.Flag == flag.Name).Values;
        var value = flag.IsSwitch ? "" : choice is not null ? $" -x -a '{choice}'" : Files.Contains(flag.Name) ? " -r -F" : " -x";
        return $"complete -c kube-proxy {condition}-l {flag.Name}{value} -d '{flag.Help.Replace("'", "\\'", StringComparison.Ordinal)}'\n";
    }
}
