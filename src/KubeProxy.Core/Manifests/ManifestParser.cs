using System.Globalization;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Manifests;

/// <summary>What a file holds.</summary>
/// <param name="Objects">The objects that could be read, with their place in the file.</param>
/// <param name="Errors">What could not be read: with any, the file is broken, and an earlier good version is better.</param>
/// <param name="Notes">What was read and is of no use.</param>
internal sealed record ParsedManifest(
    IReadOnlyList<(KubernetesObject Object, string Place)> Objects,
    IReadOnlyList<ObjectProblem> Errors,
    IReadOnlyList<ObjectProblem> Notes);

/// <summary>Reads the content of a file into objects.</summary>
internal sealed class ManifestParser(IReadOnlyList<IManifestFormat> formats)
{
    private readonly KubernetesObjectReader _reader = new();

    public bool CanRead(string fileName) => FormatOf(fileName) is not null;

    public ParsedManifest Parse(string fileName, ReadOnlyMemory<byte> content)
    {
        try
        {
            var documents = FormatOf(fileName)!.Read(content);
            return documents.Count == 0 ? Empty(fileName) : ParseDocuments(fileName, documents);
        }
        catch (ManifestFormatException e)
        {
            return Failed(Place(fileName, e.Document, e.Line), e.Message);
        }
    }

    /// <summary>Most often a disk that was full when the file was written, so nothing is removed because of it.</summary>
    private static ParsedManifest Empty(string fileName) =>
        Failed(fileName, "the file is empty, or is no file; to remove its objects, remove the file");

    private static ParsedManifest Failed(string place, string message) =>
        new([], [new ObjectProblem("", new NamespacedName("", ""), "", message, place)], []);

    private ParsedManifest ParseDocuments(string fileName, IReadOnlyList<ManifestDocument> documents)
    {
        var objects = new List<(KubernetesObject, string)>();
        var errors = new List<ObjectProblem>();
        var notes = new List<ObjectProblem>();
        foreach (var document in documents)
        {
            var place = Place(fileName, document.Index, document.Line);
            if (document.Error is { } broken)
            {
                errors.Add(new("", new NamespacedName("", ""), "", broken, place));
                continue;
            }

            foreach (var item in _reader.ReadDocument(document.Content))
            {
                if (item.Object is { } value) objects.Add((value, place));
                else if (item.Error is { } error) errors.Add(new(error.Kind, new("", error.Name), error.Field, error.Reason, place));
                else if (item.NamesakeOf is { } kind)
                    notes.Add(new(kind.ToName(), new("", item.Name), "apiVersion", $"{item.UnknownKind} is not the {kind.ToName()} of {kind.ToApiVersion()}; ignored", place));
                else notes.Add(new("", new("", item.Name), "", $"a service proxy has no use for {item.UnknownKind}; ignored", place));
            }
        }

        return new ParsedManifest(objects, errors, notes);
    }

    private IManifestFormat? FormatOf(string fileName) => formats.FirstOrDefault(format => format.CanRead(fileName));

    private static string Place(string fileName, int document, int line)
    {
        var place = fileName;
        if (document > 0) place += string.Create(CultureInfo.InvariantCulture, $" document {document}");
        if (line > 0) place += string.Create(CultureInfo.InvariantCulture, $" line {line}");
        return place;
    }
}
