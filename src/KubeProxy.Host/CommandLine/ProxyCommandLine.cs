using System.CommandLine;
using System.CommandLine.Parsing;

namespace KubeProxy.Host.CommandLine;

/// <summary>Parses the command line by <see cref="FlagTable"/>, and writes the help from it.</summary>
internal static class ProxyCommandLine
{
    private const string HelpFlag = "help";

    /// <summary>How the program is called.</summary>
    public static IEnumerable<string> Usages =>
    [
        "kube-proxy --config FILE --manifests DIR [flags]", "kube-proxy --cleanup", "kube-proxy migrate --to MODE --config FILE [flags]",
        .. Subcommand.All.Select(subcommand => subcommand.Usage), "kube-proxy man", "kube-proxy completion bash|zsh|fish",
    ];

    /// <summary>Parses the arguments.</summary>
    /// <param name="arguments">As given to the program.</param>
    /// <param name="errors">Everything wrong.</param>
    /// <returns>The arguments; null when there are errors, or when help was asked for (then there are none).</returns>
    public static ProxyArguments? Parse(IReadOnlyList<string> arguments, out IReadOnlyList<string> errors) => Parse(arguments, FlagTable.All, out errors);

    /// <inheritdoc cref="Parse(IReadOnlyList{string}, out IReadOnlyList{string})"/>
    /// <param name="arguments">As given to the program, or to one of its subcommands.</param>
    /// <param name="flags">The flags that there are.</param>
    /// <param name="errors">Everything wrong.</param>
    /// <param name="operand">What stands without a flag and has to be there; null where nothing may.</param>
    public static ProxyArguments? Parse(IReadOnlyList<string> arguments, IReadOnlyList<Flag> flags, out IReadOnlyList<string> errors, string? operand = null)
    {
        var options = flags.ToDictionary(flag => flag, ToOption);
        var help = new Option<bool>("--" + HelpFlag, "-h");
        var command = new Command("kube-proxy") { help };
        foreach (var flag in flags) command.Add(options[flag]);
        var target = operand is null ? null : new Argument<string?>(operand) { Arity = ArgumentArity.ZeroOrOne };
        if (target is not null) command.Add(target);

        var result = CommandLineParser.Parse(command, [.. arguments.SelectMany(Normalise)], new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.GetValue(help))
        {
            errors = [];
            return null;
        }

        var given = flags.SelectMany(flag => ValuesOf(result, flag, options[flag]).Select(value => (flag, value))).ToList();
        errors = [.. result.Errors.Select(error => error.Message), .. given.Select(Refuse).OfType<string>()];
        if (target is not null && result.GetValue(target) is null) errors = [.. errors, $"{operand} is missing"];
        return errors.Count > 0 ? null : new ProxyArguments { Given = given, Operand = target is null ? null : result.GetValue(target) };
    }

    /// <summary>Writes what <c>--help</c> shows.</summary>
    public static void WriteHelp(TextWriter output)
    {
        output.WriteLine("kube-proxy programs this node's kernel so that Kubernetes Services reach their endpoints.");
        output.WriteLine();
        foreach (var (usage, prefix) in Usages.Select((usage, i) => (usage, i == 0 ? "Usage: " : "       "))) output.WriteLine(prefix + usage);
        output.WriteLine();
        WriteFlags(output, FlagTable.All);
    }

    /// <summary>Writes what <c>migrate --help</c> shows.</summary>
    public static void WriteMigrationHelp(TextWriter output)
    {
        output.WriteLine("kube-proxy migrate says what a change of the proxy mode would make different on this node, and changes nothing.");
        output.WriteLine();
        output.WriteLine("Usage: kube-proxy migrate --to MODE --config FILE [--manifests DIR] [flags]");
        output.WriteLine();
        output.WriteLine("It reads the configuration in force, the objects that it names, and the kernel of this node (as root). Exit code 0: nothing to decide");
        output.WriteLine("about, 1: something, 2: something cannot be told. All flags of kube-proxy are taken as well.");
        output.WriteLine();
        WriteFlags(output, MigrationFlags.All);
    }

    /// <summary>Writes what <c>--help</c> of a subcommand shows.</summary>
    public static void WriteHelp(TextWriter output, Subcommand subcommand)
    {
        output.WriteLine(subcommand.About);
        output.WriteLine();
        output.WriteLine($"Usage: {subcommand.Usage}");
        output.WriteLine();
        WriteFlags(output, subcommand.Flags);
        output.WriteLine("All flags of kube-proxy are taken as well.");
    }

    private static void WriteFlags(TextWriter output, IEnumerable<Flag> flags)
    {
        output.WriteLine("Flags:");
        foreach (var flag in flags.Where(flag => !flag.IsDeprecated).OrderBy(flag => flag.Name, StringComparer.Ordinal))
        {
            var names = flag.ShortName is null ? $"      --{flag.Name}" : $"  -{flag.ShortName}, --{flag.Name}";
            var defaultText = flag.Default is "" or "false" or "[]" ? "" : $" (default {flag.Default})";
            output.WriteLine($"{names}\n          {flag.Help}{defaultText}");
        }

        output.WriteLine("  -h, --help\n          This text.");
    }

    private static Option<string[]> ToOption(Flag flag)
    {
        var option = new Option<string[]>("--" + flag.Name)
        {
            Arity = flag.IsSwitch ? ArgumentArity.ZeroOrMore : ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };
        if (flag.ShortName is { } name) option.Aliases.Add("-" + name);
        return option;
    }

    private static IEnumerable<string> ValuesOf(ParseResult result, Flag flag, Option<string[]> option)
    {
        if (result.GetResult(option) is not { Implicit: false } found) return [];
        return found.Tokens.Count > 0 ? found.Tokens.Select(token => token.Value) : flag.IsSwitch ? ["true"] : [];
    }

    /// <summary>Upstream takes underscores for dashes in the names of flags, and <c>--flag=</c> for an empty value.</summary>
    private static IEnumerable<string> Normalise(string argument)
    {
        if (!argument.StartsWith("--", StringComparison.Ordinal)) return [argument];
        var equals = argument.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0) return [argument.Replace('_', '-')];
        var name = argument[..equals].Replace('_', '-');
        return equals == argument.Length - 1 ? [name, ""] : [name + argument[equals..]];
    }

    private static string? Refuse((Flag Flag, string Value) given)
    {
        if (given.Flag is { IsSwitch: true, Apply: null } && FlagValues.ParseBoolean(given.Value) is null && given is not { Flag.Name: "version", Value: "raw" })
            return $"invalid argument \"{given.Value}\" for --{given.Flag.Name}: expected true or false";
        var reason = given.Flag.Apply?.Invoke(new Configuration.KubeProxyConfiguration(), given.Value);
        return reason is null ? null : $"invalid argument \"{given.Value}\" for --{given.Flag.Name}: {reason}";
    }
}
