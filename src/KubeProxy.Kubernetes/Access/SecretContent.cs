namespace KubeProxy.Kubernetes.Access;

/// <summary>
/// Content that is either given, or in a file that is read anew each time it is needed: whoever rotates it only has to replace
/// the file.
/// </summary>
public sealed class SecretContent
{
    private readonly string _origin;
    private readonly string _field;
    private readonly byte[]? _data;

    private SecretContent(string origin, string field, byte[]? data, string? path) =>
        (_origin, _field, _data, Path) = (origin, field, data, path);

    /// <summary>The file; null when the content is given.</summary>
    public string? Path { get; }

    /// <summary>Content that never changes.</summary>
    /// <param name="data">The content.</param>
    /// <param name="origin">The file that it was in, for messages.</param>
    /// <param name="field">The field of that file, for messages.</param>
    public static SecretContent OfData(ReadOnlySpan<byte> data, string origin = "", string field = "") =>
        new(origin, field, data.ToArray(), null);

    /// <summary>Content of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="origin">The file that names it, for messages.</param>
    /// <param name="field">The field of that file, for messages.</param>
    public static SecretContent OfFile(string path, string origin = "", string field = "") => new(origin, field, null, path);

    /// <summary>Reads it.</summary>
    /// <exception cref="ApiAccessException">The file cannot be read, or is empty.</exception>
    public byte[] Read()
    {
        if (_data is not null) return _data;
        try
        {
            var content = File.ReadAllBytes(Path!);
            return content.Length > 0 ? content : throw Failure("is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Failure("cannot be read: " + e.Message, e);
        }
    }

    /// <summary>Where the content comes from: the file, or the field of a file.</summary>
    internal string Describe() => Path ?? string.Join(": ", new[] { _origin, _field }.Where(part => part.Length > 0));

    /// <summary>An error about the content, which names where it comes from.</summary>
    public ApiAccessException Failure(string reason, Exception? inner = null) =>
        new(_origin, _field, Path is null ? reason : $"{Path} {reason}", inner);
}
