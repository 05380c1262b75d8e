using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Kubernetes.Json;
using KubeProxy.Kubernetes.Wire;
using KubeProxy.TestKit;

namespace KubeProxy.Kubernetes.Tests;

public sealed class JsonValueStreamTests
{
    private static readonly JsonFormat Format = new();

    [Fact]
    public void Values_are_found_however_the_bytes_are_cut()
    {
        Check.QuickThrowOnFailure(Prop.ForAll(
            Gen.ArrayOf(Values(4)).ToArbitrary(), Gen.Choose(1, 40).ToArbitrary(), (nodes, piece) =>
            {
                var texts = nodes.Select(node => node?.ToJsonString() ?? "null").ToList();
                Assert.Equal(texts, ReadAll(string.Join("\n ", texts), piece));
            }));
    }

    [Fact]
    public void Items_of_a_list_are_found_in_any_order_of_members()
    {
        const string text = """ {"items" : [ {"a":"]}"} , {"b":[1,{"c":"\""}]} ,3 ],"kind":"ServiceList","metadata":{"resourceVersion":"17","continue":"x"}} """;
        for (var piece = 1; piece < text.Length; piece++)
        {
            var (items, list) = ReadList(text, piece);
            Assert.Equal(["""{"a":"]}"}""", """{"b":[1,{"c":"\""}]}""", "3"], items);
            Assert.Equal(new ListMetadata { ResourceVersion = "17", Continue = "x" }, list);
        }
    }

    [Theory]
    [InlineData("""{"metadata":{"resourceVersion":"1"},"items":null}""")]
    [InlineData("""{"metadata":{"resourceVersion":"1"},"items":[]}""")]
    [InlineData("""{"metadata":{"resourceVersion":"1"}}""")]
    public void List_without_items_is_empty(string text) => Assert.Empty(ReadList(text, 8).Items);

    [Fact]
    public void Every_truncation_of_a_list_is_an_error()
    {
        const string text = """{"metadata":{"resourceVersion":"1"},"items":[{"a":1},{"b":2}]}""";
        for (var length = 0; length < text.Length; length++) Assert.Throws<ApiRequestException>(() => ReadList(text[..length], 16));
    }

    [Fact]
    public void Any_bytes_are_values_or_an_error()
    {
        var alphabet = "{}[]\",:\\ \n0atrue\"type\"items\u00ff"u8.ToArray();
        var bytes = Gen.ArrayOf(Gen.Choose(0, alphabet.Length - 1).Select(i => alphabet[i]));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(bytes.ToArbitrary(), content =>
        {
            foreach (Action<byte[]> read in new Action<byte[]>[] { ReadAsList, ReadAsWatch })
            {
                try
                {
                    read(content);
                }
                catch (ApiRequestException)
                {
                    // Nothing else may come out.
                }
            }

            Format.ReadHead(content);
            Format.ReadStatus(content);
        }));
    }

    [Fact]
    public void Value_that_is_too_large_is_an_error()
    {
        var stream = Open(Encoding.UTF8.GetBytes($"\"{new string('a', 5000)}\""), 100, 1000);
        Assert.Throws<ApiRequestException>(() => stream.ReadValueAsync().AsTask().GetAwaiter().GetResult());
    }

    [Fact]
    public async Task Silence_is_an_error_after_the_limit_and_not_before()
    {
        var time = new SteppedTime();
        using var deadline = new IdleDeadline(TimeSpan.FromMinutes(3), time, CancellationToken.None);
        for (var i = 0; i < 5; i++)
        {
            var data = new TaskCompletionSource<int>();
            var waiting = deadline.GuardAsync(token => new ValueTask<int>(data.Task.WaitAsync(token)));
            time.Advance(TimeSpan.FromMinutes(2));
            data.SetResult(i);
            Assert.Equal(i, await waiting);
            time.Advance(TimeSpan.FromHours(1)); // Nobody waits for the connection now.
        }

        var silent = deadline.GuardAsync(token => new ValueTask<int>(new TaskCompletionSource<int>().Task.WaitAsync(token)));
        time.Advance(TimeSpan.FromMinutes(3));
        Assert.True((await Assert.ThrowsAsync<ApiRequestException>(() => silent.AsTask())).IsStall);
    }

    [Fact]
    public void Head_of_an_object_is_read_as_far_as_it_is_json()
    {
        var head = JsonHead.Read("""{"spec":{"metadata":{"name":"no"}},"metadata":{"labels":{"name":"no"},"name":"web","namespace":"default","resourceVersion":"5"},"status":{"x":tru"""u8);
        Assert.Equal(new ObjectHead("web", "default", "5", false), head);
        Assert.True(JsonHead.Read("""{"metadata":{"annotations":{"x":"y","k8s.io/initial-events-end":"true"},"resourceVersion":"6"}}"""u8).InitialEventsEnd);
        Assert.False(JsonHead.Read("""{"metadata":{"annotations":{"k8s.io/initial-events-end":"false"}}}"""u8).InitialEventsEnd);
    }

    private static Gen<JsonNode?> Values(int depth)
    {
        var text = Gen.Elements("", "a", "\"quoted\"", "back\\slash", "{[}]", "tab\t", "\u00e9\u20ac").Select(value => (JsonNode?)JsonValue.Create(value));
        var scalar = Gen.OneOf(text, Gen.Choose(-5, 99999).Select(value => (JsonNode?)JsonValue.Create(value)), Gen.Elements(true, false).Select(value => (JsonNode?)JsonValue.Create(value)), Gen.Constant((JsonNode?)null));
        if (depth == 0) return scalar;
        var list = Gen.Choose(0, 4).SelectMany(count => Gen.ArrayOf(Values(depth - 1), count)).Select(items => (JsonNode?)new JsonArray([.. items.Select(item => item?.DeepClone())]));
        var map = Gen.Choose(0, 4).SelectMany(count => Gen.ArrayOf(Values(depth - 1), count))
            .Select(items => (JsonNode?)new JsonObject(items.Select((item, i) => KeyValuePair.Create($"k\"{i}", item?.DeepClone()))));
        return Gen.OneOf(scalar, list, map);
    }

    private static List<string> ReadAll(string text, int piece)
    {
        var stream = Open(Encoding.UTF8.GetBytes(text), piece);
        var result = new List<string>();
        while (stream.PeekAsync().AsTask().GetAwaiter().GetResult() >= 0)
        {
            using var bytes = new ContiguousBytes(stream.ReadValueAsync().AsTask().GetAwaiter().GetResult());
            result.Add(Encoding.UTF8.GetString(bytes.Span));
        }

        return result;
    }

    private static (List<string> Items, ListMetadata List) ReadList(string text, int piece)
    {
        var items = new List<string>();
        var list = Format.ReadListAsync(PieceStream.Open(Encoding.UTF8.GetBytes(text), piece), item => items.Add(Encoding.UTF8.GetString(item.Bytes)));
        return (items, list.GetAwaiter().GetResult());
    }

    private static void ReadAsList(byte[] bytes) => Format.ReadListAsync(PieceStream.Open(bytes, 3), _ => { }).GetAwaiter().GetResult();

    private static void ReadAsWatch(byte[] bytes)
    {
        var watch = Format.OpenWatch(PieceStream.Open(bytes, 3));
        while (watch.ReadAsync((_, _) => { }).AsTask().GetAwaiter().GetResult())
        {
        }
    }

    private static JsonValueStream Open(byte[] bytes, int piece, int maxValueBytes = 1 << 20) => new(PieceStream.Open(bytes, piece, maxValueBytes));
}
