using System.Text.Json.Nodes;

namespace KubeProxy.Kernel.Tests.Nftables;

/// <summary>Compares rulesets as nft sees them.</summary>
internal static class NftListings
{
    public static void AssertEqual(NetworkNamespace expected, NetworkNamespace actual)
    {
        Assert.Equal(Text(expected), Text(actual));
        Assert.Equal(Json(expected), Json(actual));
    }

    /// <summary>The same objects, made in any order. The order of the rules of a chain counts.</summary>
    public static void AssertSameObjects(NetworkNamespace expected, NetworkNamespace actual)
    {
        Assert.Equal(SortedBlocks(Text(expected)), SortedBlocks(Text(actual)));
        Assert.Equal(SortedObjects(Json(expected)), SortedObjects(Json(actual)));
    }

    /// <summary>Lines as they are; lists of elements sorted, because a hash has no order.</summary>
    public static string Text(NetworkNamespace ns)
    {
        var text = ns.Exec("nft", "-s", "list", "ruleset");
        var lines = new List<string>();
        foreach (var line in text.Split('\n'))
        {
            var open = line.IndexOf("{ ", StringComparison.Ordinal);
            if (open >= 0 && line.TrimEnd().EndsWith('}')) lines.Add(Sorted(line, open));
            else lines.Add(line);
        }

        return string.Join('\n', SortLists(lines));
    }

    public static string Json(NetworkNamespace ns)
    {
        var root = JsonNode.Parse(ns.Exec("nft", "-j", "-s", "list", "ruleset"))!;
        Strip(root);
        return root.ToJsonString();
    }

    /// <summary>Sorts what tables hold: each object begins and ends with a line that has one tab.</summary>
    private static string SortedBlocks(string text)
    {
        var blocks = new List<string>();
        var (table, block) = ("", "");
        foreach (var line in text.Split('\n').Where(line => line.Length > 0))
        {
            if (line[0] != '\t') table = line;
            if (line.StartsWith("\t\t", StringComparison.Ordinal)) block += "\n" + line;
            else if (line == "\t}") blocks.Add(block);
            else if (line.EndsWith('{') && line[0] == '\t') block = table + line;
            else blocks.Add(table + line);
        }

        return string.Join('\n', blocks.Order(StringComparer.Ordinal));
    }

    private static string SortedObjects(string json) => string.Join('\n', JsonNode.Parse(json)!["nftables"]!.AsArray()
        .Select(item => item!.AsObject().Single())
        .OrderBy(item => $"{item.Key} {item.Value!["family"]} {item.Value["chain"] ?? item.Value["name"]}", StringComparer.Ordinal)
        .Select(item => $"{item.Key} {item.Value!.ToJsonString()}"));

    private static string Sorted(string line, int open)
    {
        var close = line.LastIndexOf('}');
        var items = line[(open + 2)..close].Trim().Split(", ").Order(StringComparer.Ordinal);
        return $"{line[..open]}{{ {string.Join(", ", items)} }}{line[(close + 1)..]}";
    }

    /// <summary>Joins the lines of each list of elements and sorts the elements.</summary>
    private static IEnumerable<string> SortLists(List<string> lines)
    {
        for (var i = 0; i < lines.Count; i++)
        {
            var line = lines[i];
            if (!line.Contains("elements = {", StringComparison.Ordinal))
            {
                yield return line;
                continue;
            }

            while (!line.Contains('}', StringComparison.Ordinal)) line += " " + lines[++i].Trim();
            yield return Sorted(line, line.IndexOf("{ ", StringComparison.Ordinal));
        }
    }

    /// <summary>Drops handles, and sorts lists of elements.</summary>
    private static void Strip(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                map.Remove("handle");
                foreach (var key in map.Select(entry => entry.Key).ToArray())
                {
                    if (key is "elem" or "set" && map[key] is JsonArray list) map[key] = Sort(list);
                    else Strip(map[key]);
                }

                break;
            case JsonArray array:
                foreach (var item in array) Strip(item);
                break;
        }
    }

    private static JsonArray Sort(JsonArray list)
    {
        foreach (var item in list) Strip(item);
        return [.. list.Select(item => item?.ToJsonString() ?? "null").Order(StringComparer.Ordinal).Select(text => JsonNode.Parse(text))];
    }
}
