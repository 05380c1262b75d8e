using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Kubernetes;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Core.Tests;

/// <summary>The fast reader and the contract agree about everything that the fast reader reads.</summary>
public sealed class EndpointSliceParserTests
{
    private static readonly PooledStringConverter Strings = new(new StringCache());
    private static readonly WellKnownEntriesConverter Entries = new(Strings);
    private static readonly EndpointSliceParser Fast = new(Strings, Entries);

    private static readonly KubernetesJsonContext Contract = new(
        new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Converters = { Strings, Entries } });

    [Fact]
    public void What_a_server_writes_is_read_the_fast_way()
    {
        var slice = ApiObjects.Slice("web-1", "web", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        slice["endpoints"]![0]!["hints"] = JsonNode.Parse("""{"forZones":[{"name":"a"}],"forNodes":[{"name":"n"},{"name":"m"}]}""");
        var utf8 = Encoding.UTF8.GetBytes(slice.ToJsonString());
        Assert.NotNull(Fast.TryParse(utf8));
        AssertSame(utf8);
    }

    [Fact]
    public void Strange_documents_are_left_to_the_contract_or_read_alike()
    {
        var slice = ApiObjects.Slice("web-1", "web", ["10.0.0.1", "10.0.0.2"]).ToJsonString();
        string[] replacements = ["null", "5", "\"x\"", "[]", "{}", "true", "[null]", "{\"a\":1}", "\"\\u0041\"", "[[1]]", "-1", "99999999999"];
        var tokens = Tokens(slice);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(3000), Prop.ForAll(
            Gen.Choose(0, tokens.Count - 1).ToArbitrary(), Gen.Choose(0, replacements.Length - 1).ToArbitrary(), (token, replacement) =>
            {
                var (from, to) = tokens[token];
                AssertSame(Encoding.UTF8.GetBytes(slice[..from] + replacements[replacement] + slice[to..]));
            }));
        for (var length = 0; length < slice.Length; length++) Assert.Null(Fast.TryParse(Encoding.UTF8.GetBytes(slice[..length])));
        Assert.Null(Fast.TryParse(Encoding.UTF8.GetBytes(slice + "{}")));
    }

    /// <summary>The places of all values.</summary>
    private static List<(int From, int To)> Tokens(string text)
    {
        var result = new List<(int, int)>();
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.EndArray or JsonTokenType.EndObject) continue;
            var from = (int)reader.TokenStartIndex;
            var copy = reader;
            copy.Skip();
            result.Add((from, (int)copy.BytesConsumed));
        }

        return result;
    }

    private static void AssertSame(byte[] utf8)
    {
        if (Fast.TryParse(utf8) is not { } fast) return;
        var slow = JsonSerializer.Deserialize(utf8, Contract.EndpointSlice)!;
        Assert.Equal(TextOf(slow), TextOf(fast));
    }

    private static string TextOf(EndpointSlice slice) => JsonSerializer.Serialize(slice, KubernetesJsonContext.Default.EndpointSlice);
}
