using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace KubeProxy.Host.Yaml;

/// <summary>
/// A sequence of parser events read one by one: the live parser, which also records what is anchored, or a recording.
/// </summary>
internal sealed class YamlEvents
{
    private readonly IParser? _parser;
    private readonly IReadOnlyList<ParsingEvent> _recording = [];
    private readonly List<List<ParsingEvent>> _recorders = [];
    private int _index;

    public YamlEvents(IParser parser) => _parser = parser;

    public YamlEvents(IReadOnlyList<ParsingEvent> recording) => _recording = recording;

    /// <summary>Takes the next event; null at the end. Comments are left out.</summary>
    public ParsingEvent? Next()
    {
        if (_parser is null) return _index < _recording.Count ? _recording[_index++] : null;
        while (_parser.MoveNext())
        {
            if (_parser.Current is not { } current || current is Comment) continue;
            foreach (var recorder in _recorders) recorder.Add(current);
            return current;
        }

        return null;
    }

    /// <summary>Begins to record; <paramref name="first"/> is the event taken last.</summary>
    public List<ParsingEvent> Record(ParsingEvent first)
    {
        List<ParsingEvent> recorder = [first];
        _recorders.Add(recorder);
        return recorder;
    }

    /// <summary>Ends a recording.</summary>
    public void Stop(List<ParsingEvent> recorder) => _recorders.Remove(recorder);
}
