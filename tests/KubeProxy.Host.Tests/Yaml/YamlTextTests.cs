using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Host.Yaml;

namespace KubeProxy.Host.Tests.Yaml;

public sealed class YamlTextTests
{
    [Fact]
    public void Blocks_look_as_an_operator_writes_them()
    {
        var node = JsonNode.Parse("""{"a":{"b":1,"c":"x"},"d":[],"e":{},"f":["x",{"g":true,"h":[1,2]}],"i":null,"j":"yes","k":""}""");
        Assert.Equal(
            """
            a:
              b: 1
              c: x
            d: []
            e: {}
            f:
            - x
            - g: true
              h:
              - 1
              - 2
            i: null
            j: "yes"
            k: ""

            """.ReplaceLineEndings("\n"),
            YamlText.Write(node));
    }

    [Fact]
    public void Any_value_written_is_read_back()
    {
        var strings = ArbMap.Default.GeneratorFor<string>().Where(text => text is not null && text.All(character => !char.IsSurrogate(character)));
        var leaf = Gen.OneOf(
            strings.Select(text => (JsonNode?)JsonValue.Create(text)),
            Gen.Choose(int.MinValue, int.MaxValue).Select(number => (JsonNode?)JsonValue.Create(number)),
            Gen.Elements((JsonNode?)null),
            Gen.Elements("yes", "null", "1", "0x1", "~", " a", "a: b", "- x", "#", "a #b", "\n").Select(text => (JsonNode?)JsonValue.Create(text)));
        var nodes = Tree(leaf, strings, 3).ToArbitrary();
        Prop.ForAll(nodes, node =>
        {
            var json = Encoding.UTF8.GetString(YamlReader.Read(new StringReader(YamlText.Write(node))).Single().Json.Span);
            return JsonNode.DeepEquals(JsonNode.Parse(json), node);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }

    private static Gen<JsonNode?> Tree(Gen<JsonNode?> leaf, Gen<string> keys, int depth)
    {
        if (depth == 0) return leaf;
        var child = Tree(leaf, keys, depth - 1).Select(node => node?.DeepClone());
        return Gen.OneOf(
            leaf,
            child.ListOf().Select(items => (JsonNode?)new JsonArray([.. items])),
            keys.Zip(child).ListOf().Select(items => (JsonNode?)new JsonObject(items.DistinctBy(item => item.Item1).Select(item => KeyValuePair.Create(item.Item1, item.Item2)))));
    }
}
