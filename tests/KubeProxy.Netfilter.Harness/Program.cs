using KubeProxy.Netfilter.Harness;

if (args is not [var mode, var directory, ..] || mode is not ("rules" or "tables" or "iptables"))
{
    Console.Error.WriteLine("usage: harness rules|tables|iptables <directory or file> [--faults <file>] [--family <name,...>]");
    Console.Error.WriteLine("rules: files *.t in nft's own format; tables: rulesets *.nft; iptables: files *.t in iptables' own format. Everything is loaded in network namespaces of its own. Needs root, nft and iptables-nft.");
    return 2;
}

var pattern = mode == "tables" ? "*.nft" : "*.t";
string[] files = File.Exists(directory) ? [directory] : [.. Directory.EnumerateFiles(directory, pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
var families = Option("--family")?.Split(',');
var outcomes = new List<Outcome>();
foreach (var path in files)
{
    if (mode == "tables") outcomes.AddRange(TableRun.Run(path));
    else if (mode == "iptables") foreach (var file in IptablesFile.Read(path)) outcomes.AddRange(IptablesRun.Run(file));
    else foreach (var file in RuleFile.Read(path).Where(file => families is null || families.Contains(file.Family))) outcomes.AddRange(RuleRun.Run(file));
}

Report.Write(Console.Out, outcomes, mode == "iptables" ? outcome => [outcome.File] : outcome => Keywords.Of(outcome.Listed));
if (Option("--faults") is { } faults)
{
    using var writer = new StreamWriter(faults);
    Report.WriteFaults(writer, outcomes);
}

return outcomes.Any(outcome => outcome.Reading is "exception" or "lost") ? 1 : 0;

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
