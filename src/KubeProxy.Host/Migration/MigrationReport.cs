using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeProxy.Core.Model;

namespace KubeProxy.Host.Migration;

/// <summary>What a change of mode makes different, as text for people and as JSON for programs.</summary>
internal sealed class MigrationReport
{
    /// <summary>Nothing has to be decided.</summary>
    public const int NothingToDecide = 0;

    /// <summary>Something has to be decided.</summary>
    public const int SomethingToDecide = 1;

    /// <summary>Something could not be told.</summary>
    public const int CannotBeTold = 2;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };

    private readonly MigrationContext _context;

    /// <summary>Makes the report: looks at everything.</summary>
    public MigrationReport(MigrationContext context)
    {
        _context = context;
        // What is to do comes first; what is of one kind stays in the order of the checks.
        Findings =
        [
            .. new[] { KernelChecks.Run(context), NodePortChecks.Run(context), FirewallChecks.Run(context), BalancingChecks.Run(context) }
                .SelectMany(findings => findings).OrderByDescending(finding => finding.Severity),
        ];
    }

    /// <summary>The differences, those that ask for most first.</summary>
    public IReadOnlyList<Finding> Findings { get; }

    /// <summary>The exit code of the command.</summary>
    public int ExitCode => Findings.Select(finding => finding.Severity).DefaultIfEmpty(FindingSeverity.Note).Max() switch
    {
        FindingSeverity.Unknown => CannotBeTold,
        FindingSeverity.Decide => SomethingToDecide,
        _ => NothingToDecide,
    };

    /// <summary>Writes it as text.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"From mode {_context.Before.Mode} to {_context.After.Mode} on node {_context.Cluster.NodeName}, {Counted(_context.Cluster.Plans.Length, "service port")}: {Result()}.\n");
        foreach (var finding in Findings)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n[{Word(finding.Severity)}] {finding.Id}: {SingleLine.Of(finding.Summary)}\n");
            foreach (var subject in finding.Subjects)
                text.Append("    ").Append(SingleLine.Of(subject.Detail.Length > 0 ? $"{subject.Name}  ({subject.Detail})" : subject.Name)).Append('\n');
            if (finding.Advice.Length > 0) text.Append("  What can be done: ").Append(finding.Advice).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Writes it as JSON.</summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            writer.WriteString("node", _context.Cluster.NodeName);
            writer.WriteString("from", _context.Before.Mode);
            writer.WriteString("to", _context.After.Mode);
            writer.WriteNumber("servicePorts", _context.Cluster.Plans.Length);
            writer.WriteNumber("exitCode", ExitCode);
            writer.WriteStartArray("findings");
            foreach (var finding in Findings) Write(writer, finding);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static void Write(Utf8JsonWriter writer, Finding finding)
    {
        writer.WriteStartObject();
        writer.WriteString("id", finding.Id);
        writer.WriteString("severity", Word(finding.Severity));
        writer.WriteString("summary", finding.Summary);
        if (finding.Advice.Length > 0) writer.WriteString("advice", finding.Advice);
        writer.WriteStartArray("subjects");
        foreach (var subject in finding.Subjects)
        {
            writer.WriteStartObject();
            writer.WriteString("name", subject.Name);
            if (subject.Detail.Length > 0) writer.WriteString("detail", subject.Detail);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private string Result() => ExitCode switch
    {
        CannotBeTold => "some of it cannot be told",
        SomethingToDecide => $"{Counted(Findings.Count(finding => finding.Severity == FindingSeverity.Decide), "difference")} to decide about",
        _ => "nothing to decide about",
    };

    private static string Counted(int count, string noun) => $"{count.ToString(CultureInfo.InvariantCulture)} {noun}{(count == 1 ? "" : "s")}";

    private static string Word(FindingSeverity severity) => severity switch
    {
        FindingSeverity.Unknown => "unknown",
        FindingSeverity.Decide => "decide",
        _ => "note",
    };
}
