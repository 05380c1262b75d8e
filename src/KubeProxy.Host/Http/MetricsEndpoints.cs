using Microsoft.AspNetCore.Http;

namespace KubeProxy.Host.Http;

/// <summary>What the metrics server serves: pages by path. A path that ends in <c>/</c> also takes everything below it.</summary>
internal sealed class MetricsEndpoints
{
    private readonly SortedDictionary<string, HttpHandler> _pages = new(StringComparer.Ordinal);

    /// <summary>The first parts of all paths, sorted: what <c>/statusz</c> lists.</summary>
    public IReadOnlyList<string> Roots => [.. _pages.Keys.Select(path => "/" + path.Split('/')[1]).Distinct()];

    /// <summary>Adds a page.</summary>
    public MetricsEndpoints Add(string path, HttpHandler handler)
    {
        _pages.Add(path, handler);
        return this;
    }

    /// <summary>Adds a page that is there at once.</summary>
    public MetricsEndpoints Add(string path, Func<HttpRequest, HttpReply> handler) => Add(path, request => new ValueTask<HttpReply>(handler(request)));

    /// <summary>Answers a request.</summary>
    public ValueTask<HttpReply> Handle(HttpRequest request)
    {
        var path = request.Path.Value ?? "";
        if (_pages.TryGetValue(path, out var page)) return page(request);
        for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
            if (_pages.TryGetValue(path[..(slash + 1)], out page)) return page(request);
        return new(HttpReply.NotFound);
    }
}
