using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Host.Yaml;

namespace KubeProxy.Host.Tests.Yaml;

public sealed class YamlReaderTests
{
    private static string Json(string yaml) => Encoding.UTF8.GetString(YamlReader.Read(new StringReader(yaml)).Single().Json.Span);

    [Theory]
    [InlineData("a: 1", """{"a":1}""")]
    [InlineData("a: \"1\"", """{"a":"1"}""")]
    [InlineData("a: '1'", """{"a":"1"}""")]
    [InlineData("a: -12", """{"a":-12}""")]
    [InlineData("a: +12", """{"a":12}""")]
    [InlineData("a: 0x1F", """{"a":31}""")]
    [InlineData("a: 0o17", """{"a":15}""")]
    [InlineData("a: 017", """{"a":15}""")]
    [InlineData("a: 089", """{"a":89}""")]
    [InlineData("a: 0b101", """{"a":5}""")]
    [InlineData("a: 1_000", """{"a":1000}""")]
    [InlineData("a: 18446744073709551615", """{"a":18446744073709551615}""")]
    [InlineData("a: -9223372036854775808", """{"a":-9223372036854775808}""")]
    [InlineData("a: 1.5", """{"a":1.5}""")]
    [InlineData("a: 1e3", """{"a":1000}""")]
    [InlineData("a: .5", """{"a":0.5}""")]
    [InlineData("a: 1.2.3", """{"a":"1.2.3"}""")]
    [InlineData("a: 10.0.0.1", """{"a":"10.0.0.1"}""")]
    [InlineData("a: 10.0.0.0/8", """{"a":"10.0.0.0/8"}""")]
    [InlineData("a: fd00::1", """{"a":"fd00::1"}""")]
    [InlineData("a: .inf", """{"a":".inf"}""")]
    [InlineData("a: 2024-01-01", """{"a":"2024-01-01"}""")]
    [InlineData("a: true", """{"a":true}""")]
    [InlineData("a: yes", """{"a":true}""")]
    [InlineData("a: Off", """{"a":false}""")]
    [InlineData("a: tRue", """{"a":"tRue"}""")]
    [InlineData("a:", """{"a":null}""")]
    [InlineData("a: ~", """{"a":null}""")]
    [InlineData("a: null", """{"a":null}""")]
    [InlineData("a: 'null'", """{"a":"null"}""")]
    [InlineData("a: !!str 1", """{"a":"1"}""")]
    [InlineData("a: !!int \"7\"", """{"a":7}""")]
    [InlineData("a:\n- ", """{"a":[null]}""")]
    [InlineData("a: |\n  x\n  y\n", """{"a":"x\ny\n"}""")]
    [InlineData("a: >-\n  x\n  y\n", """{"a":"x y"}""")]
    [InlineData("a: [1, b, {c: d}]", """{"a":[1,"b",{"c":"d"}]}""")]
    [InlineData("{\"a\": {\"b\": [1, 2.5, \"x\", null, true]}}", """{"a":{"b":[1,2.5,"x",null,true]}}""")]
    [InlineData("{\"a\":1,\"b\":\"\\u00e9\"}", """{"a":1,"b":"é"}""")]
    [InlineData("- 1\n- 2", "[1,2]")]
    [InlineData("80: x", """{"80":"x"}""")]
    [InlineData("# only a comment\na: b # another", """{"a":"b"}""")]
    public void Scalars_get_the_types_that_Kubernetes_gives_them(string yaml, string json) => Assert.Equal(json, Json(yaml));

    [Fact]
    public void Documents_are_separate_and_empty_ones_are_known()
    {
        var documents = YamlReader.Read(new StringReader("a: 1\n---\n# nothing\n---\nb: 2\n...\n")).ToList();
        Assert.Equal(["{\"a\":1}", "null", "{\"b\":2}"], documents.Select(document => Encoding.UTF8.GetString(document.Json.Span)));
        Assert.True(documents[1].IsEmpty);
        Assert.Equal(5, documents[2].FirstLine);
    }

    [Fact]
    public void Aliases_and_merge_keys_are_expanded()
    {
        Assert.Equal("""{"a":{"x":1},"b":{"x":1}}""", Json("a: &q {x: 1}\nb: *q"));
        Assert.Equal("""{"a":{"x":1,"y":2},"b":{"y":3,"x":1}}""", Json("a: &q {x: 1, y: 2}\nb:\n  <<: *q\n  y: 3"));
        Assert.Equal("""{"a":{"x":1},"b":{"x":2,"z":4},"c":{"k":0,"x":1,"z":4}}""", Json("a: &a {x: 1}\nb: &b {x: 2, z: 4}\nc:\n  k: 0\n  <<: [*a, *b]"));
        Assert.Equal("""{"c":{"x":1}}""", Json("c:\n  <<: {x: 1}"));
        Assert.Equal("""{"a":[1,2],"b":[1,2]}""", Json("a: &l [1, 2]\nb: *l"));
    }

    [Fact]
    public void Lines_are_known_for_every_value()
    {
        var document = YamlReader.Read(new StringReader("a: 1\nb:\n  c: x\n  d:\n  - 5\n  - 6\n")).Single();
        var json = Encoding.UTF8.GetString(document.Json.Span);
        Assert.Equal(1, document.Lines.LineAt(json.IndexOf("\"a\"", StringComparison.Ordinal)));
        Assert.Equal(3, document.Lines.LineAt(json.IndexOf("\"c\"", StringComparison.Ordinal)));
        Assert.Equal(5, document.Lines.LineAt(json.IndexOf('5', StringComparison.Ordinal)));
        Assert.Equal(6, document.Lines.LineAt(json.IndexOf('6', StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("a: [1]]\n", 1)]
    [InlineData("a: 1\nb: *nothing", 2)]
    [InlineData("a: b: c", 1)]
    [InlineData("b: 1\na: @x", 2)]
    [InlineData("? [x, y]\n: 1", 1)]
    [InlineData("a: !!int x", 1)]
    [InlineData("a: 1\nb: {<<: 5}", 2)]
    [InlineData("a: &x [*x]", 1)]
    [InlineData("a: \"\\ud800\"", 1)]
    public void What_is_not_acceptable_is_reported_with_its_line(string yaml, int line)
    {
        var problem = Assert.Throws<YamlFormatException>(() => YamlReader.Read(new StringReader(yaml)).ToList());
        Assert.Equal(line, problem.Line);
    }

    [Fact]
    public void Expansion_and_nesting_are_bounded()
    {
        var laughs = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 12; i++) laughs.Append($"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        Assert.Throws<YamlFormatException>(() => Json(laughs.ToString()));
        Assert.Throws<YamlFormatException>(() => Json(new string('[', 200) + new string(']', 200)));
        var nested = string.Concat(Enumerable.Repeat("{a: ", 60)) + "1" + new string('}', 60);
        using var parsed = JsonDocument.Parse(Json(nested));
        Assert.Equal(JsonValueKind.Object, parsed.RootElement.ValueKind);
    }

    [Fact]
    public void Any_text_is_valid_JSON_or_a_format_error()
    {
        string[] parts = ["a", ": ", "- ", "\n", "  ", "\t", "\"", "'", "[", "]", "{", "}", ",", "&x ", "*x", "<<", "!!int ", "!", "|", ">", "?", "#", "%", "@", "---\n", "...", "0x", "1", "\\u", "\ud800", "\0", "é", "%YAML 1.2\n", "~", "&", "*"];
        var texts = Gen.Elements(parts).ListOf().Select(list => string.Concat(list)).ToArbitrary();
        Prop.ForAll(texts, ReadsOrReports).Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));
    }

    [Fact]
    public void A_mutated_manifest_is_valid_JSON_or_a_format_error()
    {
        const string Manifest = "apiVersion: v1\nkind: Service\nmetadata: &m\n  name: web\n  labels: {a: 'b', c: \"d\"}\nspec:\n  ports:\n  - port: 80\n    name: |\n      x\n  <<: *m\n";
        var random = new Random(1);
        for (var round = 0; round < 5_000; round++)
        {
            var text = new StringBuilder(Manifest);
            for (var change = random.Next(1, 6); change > 0; change--)
            {
                var at = random.Next(text.Length);
                if (random.Next(2) == 0) text.Remove(at, Math.Min(random.Next(1, 8), text.Length - at));
                else text.Insert(at, (char)random.Next(0, 300));
            }

            Assert.True(ReadsOrReports(text.ToString()));
        }
    }

    private static bool ReadsOrReports(string text)
    {
        try
        {
            foreach (var document in YamlReader.Read(new StringReader(text)))
            {
                using var parsed = JsonDocument.Parse(document.Json);
            }
        }
        catch (YamlFormatException problem)
        {
            return problem.Message.Length > 0;
        }

        return true;
    }
}
