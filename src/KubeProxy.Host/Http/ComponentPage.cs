using System.Text.Json.Nodes;
using KubeProxy.Host.Yaml;
using Microsoft.AspNetCore.Http;

namespace KubeProxy.Host.Http;

/// <summary>
/// A page about this component (<c>/statusz</c>, <c>/flagz</c>): text for people; JSON or YAML for programs that ask for the kind and
/// a version of it by name, as in <c>Accept: application/json;g=config.k8s.io;v=v1beta1;as=Statusz</c>.
/// </summary>
/// <param name="kind">The kind of the object.</param>
/// <param name="text">Makes the text.</param>
/// <param name="fields">Makes the fields of the object, besides kind, version and metadata.</param>
internal sealed class ComponentPage(string kind, Func<string> text, Func<JsonObject> fields)
{
    private const string Group = "config.k8s.io";

    /// <summary>Answers a request.</summary>
    public HttpReply Answer(HttpRequest request)
    {
        var accept = request.Headers.Accept.ToString();
        if (accept.Length == 0) return Text();
        foreach (var range in accept.Split(','))
            if (TryAnswer(range) is { } reply) return reply;
        return HttpReply.Text(
            StatusCodes.Status406NotAcceptable,
            $"only text/plain, and application/json or application/yaml with g={Group};v=v1beta1;as={kind} (or v=v1alpha1), are served\n");
    }

    private HttpReply? TryAnswer(string range)
    {
        var parts = range.Split(';', StringSplitOptions.TrimEntries);
        if (parts[0] is "text/plain" or "text/*" or "*/*") return Text();
        string? Parameter(string name) => parts.Skip(1).FirstOrDefault(part => part.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
        if (Parameter("g") != Group || Parameter("as") != kind || Parameter("v") is not ("v1beta1" or "v1alpha1") || Parameter("v") is not { } version) return null;
        var reply = parts[0] switch
        {
            "application/json" => HttpReply.Json(StatusCodes.Status200OK, System.Text.Encoding.UTF8.GetBytes(Object(version).ToJsonString())),
            "application/yaml" => new HttpReply(
                StatusCodes.Status200OK, "application/yaml", System.Text.Encoding.UTF8.GetBytes(YamlText.Write(Object(version)))),
            _ => null,
        };
        if (version != "v1alpha1") return reply;
        return reply is null ? null : reply with { Headers = [new("Warning", $"299 - \"{Group}/v1alpha1 {kind} is deprecated; use v1beta1\"")] };
    }

    private HttpReply Text() => HttpReply.Text(StatusCodes.Status200OK, text());

    private JsonObject Object(string version)
    {
        var value = new JsonObject
        {
            ["kind"] = kind,
            ["apiVersion"] = $"{Group}/{version}",
            ["metadata"] = new JsonObject { ["name"] = "kube-proxy" },
        };
        foreach (var (name, field) in fields()) value[name] = field?.DeepClone();
        return value;
    }
}
