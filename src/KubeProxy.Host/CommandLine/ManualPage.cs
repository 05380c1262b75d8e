using System.Text;

namespace KubeProxy.Host.CommandLine;

/// <summary>The manual page <c>kube-proxy(8)</c>, made from the flag table and the subcommands: groff with the macros <c>man</c>.</summary>
internal static class ManualPage
{
    /// <summary>The page.</summary>
    public static string Text()
    {
        var text = new StringBuilder();
        text.Append(".TH KUBE-PROXY 8\n.SH NAME\nkube-proxy \\- program this node so that Kubernetes Services reach their endpoints\n");
        text.Append(".SH SYNOPSIS\n");
        foreach (var usage in ProxyCommandLine.Usages) text.Append(".B ").Append(Escape(usage)).Append("\n.br\n");
        text.Append(".SH DESCRIPTION\n");
        text.Append("The service proxy of a node, in place of the one that Kubernetes comes with: the same configuration file, flags and metrics. It programs\n");
        text.Append("nf_tables, iptables rules or IPVS over netlink, and starts no other program.\n");
        text.Append(".SH SUBCOMMANDS\n");
        foreach (var subcommand in Subcommand.All)
        {
            text.Append(".SS ").Append(subcommand.Name).Append('\n').Append(Escape(subcommand.About)).Append('\n');
            Flags(text, subcommand.Flags);
        }

        text.Append(".SS migrate\nkube-proxy migrate says what a change of the proxy mode would make different on this node, and changes nothing. Exit code 0: nothing to\ndecide about, 1: something, 2: something cannot be told.\n");
        Flags(text, MigrationFlags.All);
        text.Append(".SH OPTIONS\n");
        Flags(text, FlagTable.All);
        text.Append(".SH FILES\n.TP\n.I ").Append(FlagTable.DefaultSocket).Append("\nThe socket on which subcommands are answered.\n");
        text.Append(".SH EXIT STATUS\n0 when it was told to stop, 1 when it cannot start or go on. Those of subcommands are said with them.\n");
        text.Append(".SH SIGNALS\nSIGTERM and SIGINT end it; the rules stay in place.\n");
        return text.ToString();
    }

    private static void Flags(StringBuilder text, IEnumerable<Flag> flags)
    {
        foreach (var flag in flags.Where(flag => !flag.IsDeprecated).OrderBy(flag => flag.Name, StringComparer.Ordinal))
        {
            var names = flag.ShortName is null ? $"--{flag.Name}" : $"-{flag.ShortName}, --{flag.Name}";
            var value = flag.IsSwitch ? "" : "=VALUE";
            text.Append(".TP\n.B ").Append(Escape(names + value)).Append('\n').Append(Escape(flag.Help));
            if (flag.Default is not ("" or "false" or "[]")) text.Append(Escape($" (default {flag.Default})"));
            text.Append('\n');
        }
    }

    // A line that begins with a dot or a quote would be a request, and a minus a hyphen.
    private static string Escape(string text) => string.Join('\n', text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal).Split('\n')
        .Select(line => line.StartsWith('.') || line.StartsWith('\'') ? "\\&" + line : line));
}
