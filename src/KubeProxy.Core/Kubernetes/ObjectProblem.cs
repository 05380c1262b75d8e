using KubeProxy.Core.Model;

namespace KubeProxy.Core.Kubernetes;

/// <summary>Something in an object that cannot be used. Only that part is left out; all else is in force.</summary>
/// <param name="Kind">The object's kind; empty when not even that is known.</param>
/// <param name="Name">The object's name.</param>
/// <param name="Field">The JSON path of the field, for example <c>spec.ports[0].port</c>; empty for the whole object.</param>
/// <param name="Message">What is wrong and what becomes of it.</param>
/// <param name="Place">Where the object comes from, such as a file and document; empty for an API object.</param>
public sealed record ObjectProblem(string Kind, NamespacedName Name, string Field, string Message, string Place = "")
{
    /// <summary>One line for an operator.</summary>
    public override string ToString()
    {
        var identity = string.Join(' ', new[] { Place, Kind, Name.ToString(), Field }.Where(part => part.Length > 0));
        return SingleLine.Of(identity.Length == 0 ? Message : $"{identity}: {Message}");
    }
}

/// <summary>Gathers the problems of one object. A hopeless object does not fill the log: after some, they are counted only.</summary>
internal sealed class ProblemList(ObjectKind kind, NamespacedName name)
{
    private const int Limit = 16;

    private List<ObjectProblem>? _problems;
    private int _suppressed;

    public NamespacedName Name => name;

    public void Add(string field, string message)
    {
        _problems ??= [];
        if (_problems.Count < Limit) _problems.Add(new ObjectProblem(kind.ToName(), name, field, message));
        else _suppressed++;
    }

    public IReadOnlyList<ObjectProblem> ToList()
    {
        if (_problems is null) return [];
        if (_suppressed > 0) _problems.Add(new ObjectProblem(kind.ToName(), name, "", $"and {_suppressed} more problems"));
        _suppressed = 0;
        return _problems;
    }
}
