using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace KubeProxy.Host.Yaml;

/// <summary>
/// Turns a YAML stream into JSON documents, for System.Text.Json to bind. Uses the events of a YAML parser only: no types
/// are looked up and nothing is constructed. Anchors, aliases and merge keys (<c>&lt;&lt;</c>) are expanded within
/// <see cref="MaxAliasEvents"/>, nesting goes down to <see cref="MaxDepth"/>. Keys stay as written; of a repeated
/// key both occurrences are in the JSON.
/// </summary>
public sealed class YamlReader
{
    /// <summary>The deepest nesting accepted; what System.Text.Json reads by default.</summary>
    public const int MaxDepth = 64;

    /// <summary>How many parser events the aliases of one document may expand to: a stop for "billion laughs".</summary>
    public const int MaxAliasEvents = 200_000;

    private const string MergeKey = "<<";

    private static readonly JsonWriterOptions WriterOptions =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly Dictionary<string, IReadOnlyList<ParsingEvent>> _anchors = [];
    private readonly Stack<HashSet<string>> _keySets = new();
    private readonly YamlEvents _events;
    private Utf8JsonWriter _writer = null!;
    private LineMap _lines = null!;
    private int _aliasEvents;

    private YamlReader(TextReader text) => _events = new YamlEvents(new Parser(new Scanner(text, skipComments: true)));

    /// <summary>Reads all documents, one at a time; empty documents are included.</summary>
    /// <exception cref="YamlFormatException">The text is not acceptable YAML; documents before the place have been returned.</exception>
    public static IEnumerable<YamlDocument> Read(TextReader text)
    {
        var reader = new YamlReader(text);
        while (reader.ReadDocument() is { } document) yield return document;
    }

    private YamlDocument? ReadDocument()
    {
        try
        {
            while (_events.Next() is { } current)
                if (current is DocumentStart) return ReadContent();
            return null;
        }
        catch (YamlException problem)
        {
            throw new YamlFormatException(problem.Start.Line, problem.Start.Column, problem.Message, problem);
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException or FormatException or OverflowException)
        {
            // The parser's own defects on odd input are the input's problem, not the process's.
            throw new YamlFormatException(1, 1, problem.Message, problem);
        }
    }

    private YamlDocument ReadContent()
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using var writer = new Utf8JsonWriter(buffer, WriterOptions);
        (_writer, _lines, _aliasEvents) = (writer, new LineMap(), 0);
        _anchors.Clear();
        var first = _events.Next() ?? throw new YamlFormatException(1, 1, "The document ends before it begins.");
        WriteNode(_events, first, depth: 0);
        writer.Flush();
        return new YamlDocument(buffer.WrittenMemory, _lines, (int)first.Start.Line);
    }

    private void WriteNode(YamlEvents events, ParsingEvent current, int depth)
    {
        if (depth > MaxDepth) throw Problem(current, $"Nested deeper than {MaxDepth} levels.");
        if (current is AnchorAlias alias)
        {
            WriteNode(Expand(alias, out var first), first, depth);
            return;
        }

        var recorder = current is NodeEvent { Anchor.IsEmpty: false } && ReferenceEquals(events, _events) ? events.Record(current) : null;
        if (ReferenceEquals(events, _events)) _lines.Note(_writer.BytesCommitted + _writer.BytesPending, current.Start.Line);
        switch (current)
        {
            case Scalar scalar: WriteScalar(scalar); break;
            case SequenceStart: WriteSequence(events, depth); break;
            case MappingStart: WriteMapping(events, depth); break;
            default: throw Problem(current, "Expected a value.");
        }

        if (recorder is null) return;
        events.Stop(recorder);
        _anchors[((NodeEvent)current).Anchor.Value] = recorder;
    }

    private void WriteScalar(Scalar scalar)
    {
        CheckText(scalar);
        var tag = scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific ? null : scalar.Tag.Value;
        if (!YamlScalar.TryWrite(_writer, scalar.Value, scalar.Style is ScalarStyle.Plain, tag))
            throw Problem(scalar, $"'{scalar.Value}' is not of the type that its tag names.");
    }

    private void WriteSequence(YamlEvents events, int depth)
    {
        _writer.WriteStartArray();
        while (Take(events) is var item and not SequenceEnd) WriteNode(events, item, depth + 1);
        _writer.WriteEndArray();
    }

    private void WriteMapping(YamlEvents events, int depth)
    {
        var keys = _keySets.TryPop(out var reused) ? reused : new HashSet<string>(StringComparer.Ordinal);
        List<YamlEvents>? merges = null;
        _writer.WriteStartObject();
        while (Take(events) is var key and not MappingEnd)
        {
            if (IsMerge(key)) AddMerge(events, Take(events), merges ??= []);
            else WriteMember(events, KeyOf(key), keys, depth);
        }

        foreach (var merge in merges ?? []) WriteMerged(merge, keys, depth);
        _writer.WriteEndObject();
        keys.Clear();
        _keySets.Push(keys);
    }

    private void WriteMember(YamlEvents events, Scalar key, HashSet<string> keys, int depth)
    {
        keys.Add(key.Value);
        if (ReferenceEquals(events, _events)) _lines.Note(_writer.BytesCommitted + _writer.BytesPending, key.Start.Line);
        _writer.WritePropertyName(key.Value);
        WriteNode(events, Take(events), depth + 1);
    }

    private void WriteMerged(YamlEvents mapping, HashSet<string> keys, int depth)
    {
        if (depth > MaxDepth) throw new YamlFormatException(1, 1, $"Nested deeper than {MaxDepth} levels.");
        List<YamlEvents>? merges = null;
        while (mapping.Next() is { } key and not MappingEnd)
        {
            if (IsMerge(key)) AddMerge(mapping, Take(mapping), merges ??= []);
            else if (keys.Contains(KeyOf(key).Value)) Skip(mapping);
            else WriteMember(mapping, KeyOf(key), keys, depth);
        }

        foreach (var merge in merges ?? []) WriteMerged(merge, keys, depth + 1);
    }

    private void AddMerge(YamlEvents events, ParsingEvent value, List<YamlEvents> merges)
    {
        switch (value)
        {
            case AnchorAlias alias:
                var expanded = Expand(alias, out var first);
                if (first is not MappingStart) throw Problem(alias, "A merge key needs a mapping.");
                merges.Add(expanded);
                break;
            case MappingStart start:
                merges.Add(new YamlEvents(RecordRest(events, start).Skip(1).ToList()));
                break;
            case SequenceStart:
                while (Take(events) is var item and not SequenceEnd)
                {
                    if (item is SequenceStart) throw Problem(item, "A merge key needs a mapping or a list of mappings.");
                    AddMerge(events, item, merges);
                }

                break;
            default: throw Problem(value, "A merge key needs a mapping or a list of mappings.");
        }
    }

    private YamlEvents Expand(AnchorAlias alias, out ParsingEvent first)
    {
        if (!_anchors.TryGetValue(alias.Value.Value, out var recording))
            throw Problem(alias, $"There is no anchor '{alias.Value.Value}' before this.");
        _aliasEvents += recording.Count;
        if (_aliasEvents > MaxAliasEvents) throw Problem(alias, $"The aliases expand to more than {MaxAliasEvents} parts.");
        var events = new YamlEvents(recording);
        first = Take(events);
        return events;
    }

    private static List<ParsingEvent> RecordRest(YamlEvents events, ParsingEvent start)
    {
        List<ParsingEvent> all = [start];
        for (var depth = start.NestingIncrease; depth > 0; depth += all[^1].NestingIncrease) all.Add(Take(events));
        return all;
    }

    private static void Skip(YamlEvents events) => RecordRest(events, Take(events));

    private static bool IsMerge(ParsingEvent key) => key is Scalar { Value: MergeKey, Style: ScalarStyle.Plain };

    private static Scalar KeyOf(ParsingEvent key)
    {
        if (key is not Scalar scalar) throw Problem(key, "A key has to be a scalar.");
        CheckText(scalar);
        return scalar;
    }

    private static void CheckText(Scalar scalar)
    {
        var text = scalar.Value;
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                throw Problem(scalar, "The text holds half a surrogate pair.");
            i++;
        }
    }

    private static ParsingEvent Take(YamlEvents events) =>
        events.Next() ?? throw new YamlFormatException(1, 1, "The document ends in the middle.");

    private static YamlFormatException Problem(ParsingEvent at, string reason) => new(at.Start.Line, at.Start.Column, reason);
}
