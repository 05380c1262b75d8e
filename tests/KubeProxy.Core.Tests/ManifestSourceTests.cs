using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Manifests;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;

namespace KubeProxy.Core.Tests;

public sealed class ManifestSourceTests : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("manifests-").FullName;
    private readonly RecordingSink _sink = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    private string ManifestDirectory => Path.Combine(_directory, "m");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(_ => { }, TaskScheduler.Default);
        _stop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static string Service(string name, int port = 80) =>
        $$$"""{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "{{{name}}}"}, "spec": {"clusterIP": "10.96.0.1", "ports": [{"port": {{{port}}}}]}}""";

    private async Task StartAsync(params IManifestFormat[] formats)
    {
        Directory.CreateDirectory(ManifestDirectory);
        _running = new ManifestSource(ManifestDirectory, formats).RunAsync(_sink, _stop.Token);
        await UntilAsync(() => _sink.Synced.Count == 4);
    }

    private void Write(string name, string content)
    {
        Directory.CreateDirectory(ManifestDirectory);
        var temporary = Path.Combine(ManifestDirectory, $".{name}.tmp");
        File.WriteAllText(temporary, content);
        File.Move(temporary, Path.Combine(ManifestDirectory, name), overwrite: true);
    }

    private void Delete(string name) => File.Delete(Path.Combine(ManifestDirectory, name));

    private static async Task UntilAsync(Func<bool> condition)
    {
        var limit = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(limit.Elapsed < TimeSpan.FromSeconds(30), "it did not happen");
            await Task.Delay(2, TestContext.Current.CancellationToken);
        }
    }

    private Task UntilObjectsAsync(string expected) => UntilAsync(() => _sink.Describe() == expected);

    /// <summary>Everything that happened so far has been seen when this is: events come in order.</summary>
    private async Task SettleAsync()
    {
        Write("zzz.json", Service("marker"));
        await UntilAsync(() => _sink.Describe().Contains("marker", StringComparison.Ordinal));
        Delete("zzz.json");
        await UntilAsync(() => !_sink.Describe().Contains("marker", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("v1", "EndpointSlice", "f.json document 1 line 1 EndpointSlice x apiVersion: v1 EndpointSlice is not the EndpointSlice of discovery.k8s.io/v1; ignored")]
    [InlineData("apps/v1", "Service", "f.json document 1 line 1 Service x apiVersion: apps/v1 Service is not the Service of v1; ignored")]
    [InlineData("v1", "Pod", "f.json document 1 line 1 x: a service proxy has no use for v1 Pod; ignored")]
    public void Objects_that_are_not_used_are_named_with_the_reason(string apiVersion, string kind, string note)
    {
        var text = $$"""{"apiVersion":"{{apiVersion}}","kind":"{{kind}}","metadata":{"name":"x"} }""";
        var parsed = new ManifestParser([new JsonManifestFormat()]).Parse("f.json", System.Text.Encoding.UTF8.GetBytes(text));
        Assert.Equal(note, Assert.Single(parsed.Notes).ToString());
    }

    [Fact]
    public async Task Files_are_read_before_the_kinds_are_synced()
    {
        Write("a.json", Service("a"));
        Write("b.json", Service("b") + "\n" + Service("c"));
        Write("d.json", $$"""{"kind": "List", "items": [{{Service("d")}}]}""");
        Write(".hidden.json", Service("hidden"));
        Write("README.md", "no manifest");
        await StartAsync();
        Assert.Equal("a:80 b:80 c:80 d:80", _sink.Describe());
        Assert.Empty(_sink.Problems);
    }

    [Fact]
    public async Task Changes_are_followed()
    {
        await StartAsync();
        Write("a.json", Service("a"));
        await UntilObjectsAsync("a:80");
        Write("a.json", Service("a", 81));
        await UntilObjectsAsync("a:81");
        File.WriteAllText(Path.Combine(ManifestDirectory, "a.json"), Service("a", 82)); // In place.
        await UntilObjectsAsync("a:82");
        Write("a.json", Service("b"));
        await UntilObjectsAsync("b:80");
        File.Move(Path.Combine(ManifestDirectory, "a.json"), Path.Combine(ManifestDirectory, "b.json"));
        await SettleAsync();
        Assert.Equal("b:80", _sink.Describe());
        File.Move(Path.Combine(ManifestDirectory, "b.json"), Path.Combine(ManifestDirectory, ".b.json"));
        await UntilObjectsAsync("");
        Write("c.json", Service("c"));
        await UntilObjectsAsync("c:80");
        Delete("c.json");
        await UntilObjectsAsync("");
    }

    [Theory]
    [InlineData("{\"kind\": ", "a.json document 1 line 1")]
    [InlineData("", "a.json: the file is empty")]
    [InlineData("   \n", "a.json: the file is empty")]
    [InlineData("[]", "a.json document 1 line 1: the document is not an object")]
    [InlineData("\n{\"kind\": \"Service\", \"metadata\": {\"name\": \"a\"}, \"spec\": {\"ports\": [{\"port\": \"x\"}]}}", "a.json document 1 line 2 Service a spec.ports[0].port")]
    public async Task A_broken_file_is_reported_and_its_last_good_content_stays(string broken, string expected)
    {
        Write("a.json", Service("a") + Service("b"));
        await StartAsync();
        Write("a.json", broken);
        await UntilAsync(() => _sink.Problems.Count == 1);
        var problem = _sink.Problems.Single().ToString();
        Assert.StartsWith(expected, problem, StringComparison.Ordinal);
        Assert.Contains("last good content", problem, StringComparison.Ordinal);
        Assert.Equal("a:80 b:80", _sink.Describe());

        Write("a.json", Service("b", 81));
        await UntilObjectsAsync("b:81");
        await UntilAsync(() => _sink.Problems.Count == 0);
    }

    [Fact]
    public async Task Of_a_file_that_was_never_good_the_good_part_counts()
    {
        Write("a.json", Service("a") + "{\"kind\": \"Service\", \"metadata\": {}}" + Service("b"));
        await StartAsync();
        Assert.Equal("a:80 b:80", _sink.Describe());
        Assert.Contains("a.json document 2 line 1 Service metadata.name: missing; the rest", Assert.Single(_sink.Problems).ToString(), StringComparison.Ordinal);
        Delete("a.json");
        await UntilObjectsAsync("");
        await UntilAsync(() => _sink.Problems.Count == 0);
    }

    [Fact]
    public async Task A_file_that_was_never_good_may_become_better_step_by_step()
    {
        Write("a.json", "{\"kind\": ");
        await StartAsync();
        Assert.Contains("; nothing of the file is in force", Assert.Single(_sink.Problems).ToString(), StringComparison.Ordinal);
        Write("a.json", $$"""{"kind": "List", "apiVersion": "v1", "items": [null, {{Service("a")}}, 5]}""");
        await UntilObjectsAsync("a:80");
        await UntilAsync(() => _sink.Problems.Count == 2);
        Assert.Equal(
            ["a.json document 1 line 1 items[0]: is not an object; the rest of the file is in force", "a.json document 1 line 1 items[2]: is not an object; the rest of the file is in force"],
            _sink.Problems.Select(problem => problem.ToString()));
        Write("a.json", Service("a") + Service("b") + "}");
        await UntilObjectsAsync("a:80 b:80");
        Assert.Contains("what follows it in the file cannot be read; the rest", Assert.Single(_sink.Problems).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_file_holds_nothing_up()
    {
        Directory.CreateDirectory(ManifestDirectory);
        using (var made = System.Diagnostics.Process.Start("mkfifo", Path.Combine(ManifestDirectory, "a.json"))) await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Path.Combine(ManifestDirectory, "b.json"), "/dev/zero");
        Write("real", Service("c"));
        File.CreateSymbolicLink(Path.Combine(ManifestDirectory, "c.json"), "real");
        await StartAsync();
        Assert.Equal("c:80", _sink.Describe());
        Assert.Equal(
            ["a.json: the file is empty, or is no file; to remove its objects, remove the file; nothing of the file is in force",
             "b.json: the file is empty, or is no file; to remove its objects, remove the file; nothing of the file is in force"],
            _sink.Problems.Select(problem => problem.ToString()).Order(StringComparer.Ordinal));
        Write("d.json", Service("d"));
        await UntilObjectsAsync("c:80 d:80");
    }

    [Fact]
    public async Task Unknown_kinds_are_reported_and_harmless()
    {
        Write("a.json", Service("a") + """{"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "x"}}""");
        await StartAsync();
        Assert.Equal("a:80", _sink.Describe());
        Assert.Contains("apps/v1 Deployment", Assert.Single(_sink.Problems).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_files_with_an_object_the_first_by_name_counts()
    {
        Write("b.json", Service("web", 2));
        await StartAsync();
        Write("c.json", Service("web", 3) + Service("other"));
        await UntilObjectsAsync("other:80 web:2");
        await UntilAsync(() => _sink.Problems.Count == 1);
        Assert.Contains("c.json document 1 line 1 Service default/web: is also in b.json", _sink.Problems.Single().ToString(), StringComparison.Ordinal);

        Write("a.json", Service("web", 1));
        await UntilObjectsAsync("other:80 web:1");
        await UntilAsync(() => _sink.Problems.Count == 2);
        Delete("a.json");
        await UntilObjectsAsync("other:80 web:2");
        Delete("b.json");
        await UntilObjectsAsync("other:80 web:3");
        await UntilAsync(() => _sink.Problems.Count == 0);
        Delete("c.json");
        await UntilObjectsAsync("");
    }

    [Fact]
    public async Task An_object_twice_in_a_file_counts_once()
    {
        Write("a.json", Service("web", 1) + Service("web", 2));
        await StartAsync();
        Assert.Equal("web:1", _sink.Describe());
        Assert.Single(_sink.Problems);
    }

    [Fact]
    public async Task A_directory_that_comes_late_is_waited_for()
    {
        _running = new ManifestSource(ManifestDirectory).RunAsync(_sink, _stop.Token);
        await UntilAsync(() => _sink.Problems.Count == 1);
        Assert.Contains("cannot be read", _sink.Problems.Single().ToString(), StringComparison.Ordinal);
        Assert.Empty(_sink.Synced);
        Write("a.json", Service("a"));
        await UntilAsync(() => _sink.Synced.Count == 4);
        await UntilObjectsAsync("a:80");
        Assert.Empty(_sink.Problems);
    }

    [Fact]
    public async Task When_the_directory_is_moved_away_everything_stays_until_there_is_another()
    {
        Write("a.json", Service("a"));
        await StartAsync();
        Directory.Move(ManifestDirectory, ManifestDirectory + ".old");
        await UntilAsync(() => _sink.Problems.Count == 1);
        Assert.Equal("a:80", _sink.Describe());
        Write("b.json", Service("b"));
        await UntilObjectsAsync("b:80");
        await UntilAsync(() => _sink.Problems.Count == 0);
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_keeps_its_content()
    {
        Write("a.json", Service("a"));
        await StartAsync();
        var path = Path.Combine(ManifestDirectory, "a.json");
        File.CreateSymbolicLink(Path.Combine(ManifestDirectory, ".loop"), path);
        File.Move(Path.Combine(ManifestDirectory, ".loop"), path, overwrite: true); // A link to itself: not even root can read it.
        await UntilAsync(() => _sink.Problems.Count == 1);
        Assert.StartsWith("a.json: the file cannot be read", _sink.Problems.Single().ToString(), StringComparison.Ordinal);
        Assert.Equal("a:80", _sink.Describe());
        Write("a.json", Service("a", 81));
        await UntilObjectsAsync("a:81");
        await UntilAsync(() => _sink.Problems.Count == 0);
    }

    [Fact]
    public async Task A_mounted_config_map_changes_as_a_whole()
    {
        var data = Path.Combine(ManifestDirectory, "..data");
        foreach (var version in (int[])[1, 2])
        {
            var target = Directory.CreateDirectory(Path.Combine(ManifestDirectory, $"..v{version}")).FullName;
            File.WriteAllText(Path.Combine(target, "a.json"), Service("a", version));
        }

        Directory.CreateSymbolicLink(data, "..v1");
        File.CreateSymbolicLink(Path.Combine(ManifestDirectory, "a.json"), "..data/a.json");
        await StartAsync();
        Assert.Equal("a:1", _sink.Describe());
        Directory.CreateSymbolicLink(Path.Combine(ManifestDirectory, "..tmp"), "..v2");
        Process("mv", "-T", Path.Combine(ManifestDirectory, "..tmp"), data);
        await UntilObjectsAsync("a:2");
    }

    [Fact]
    public async Task Other_formats_are_plugged_in()
    {
        Write("a.lines", "Service a\nService b");
        Write("b.lines", "boom");
        await StartAsync(new LinesFormat());
        Assert.Equal("a:1 b:2", _sink.Describe());
        Assert.StartsWith("b.lines document 1 line 1: cannot say boom", Assert.Single(_sink.Problems).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Thousands_of_changes_end_in_the_final_state()
    {
        await StartAsync();
        for (var round = 1; round <= 5; round++)
        {
            for (var i = 0; i < 300; i++) Write($"s{i}.json", Service($"s{i}", round * 100));
        }

        await UntilAsync(() => _sink.Count == 300 && _sink.Describe().Split(' ').All(text => text.EndsWith(":500", StringComparison.Ordinal)));
        for (var i = 0; i < 300; i++) Delete($"s{i}.json");
        await UntilObjectsAsync("");
    }

    private static void Process(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private sealed class LinesFormat : IManifestFormat
    {
        public bool CanRead(string fileName) => fileName.EndsWith(".lines", StringComparison.Ordinal);

        public IReadOnlyList<ManifestDocument> Read(ReadOnlyMemory<byte> content) =>
        [
            .. Encoding.UTF8.GetString(content.Span).Split('\n').Select((line, i) => line.Split(' ') is [var kind, var name]
                ? ManifestDocument.FromNode(i + 1, i + 1, new JsonObject
                {
                    ["kind"] = kind,
                    ["metadata"] = new JsonObject { ["name"] = name },
                    ["spec"] = new JsonObject { ["ports"] = new JsonArray(new JsonObject { ["port"] = i + 1 }) },
                })
                : throw new ManifestFormatException(i + 1, i + 1, $"cannot say {line}")),
        ];
    }

    private sealed class RecordingSink : IProxySink
    {
        private readonly Lock _gate = new();
        private readonly SortedDictionary<string, int?> _services = new(StringComparer.Ordinal);
        private readonly Dictionary<string, IReadOnlyList<ObjectProblem>> _problems = [];
        private readonly HashSet<ObjectKind> _synced = [];

        public IReadOnlyCollection<ObjectKind> Synced
        {
            get { lock (_gate) return [.. _synced]; }
        }

        public IReadOnlyCollection<ObjectProblem> Problems
        {
            get { lock (_gate) return [.. _problems.Values.SelectMany(list => list)]; }
        }

        public int Count
        {
            get { lock (_gate) return _services.Count; }
        }

        public string Describe()
        {
            lock (_gate) return string.Join(' ', _services.Select(pair => $"{pair.Key}:{pair.Value}"));
        }

        public void Upsert(KubernetesObject value)
        {
            lock (_gate) _services[value.Name.Name] = ((Kubernetes.Service)value).Spec.Ports[0].Port;
        }

        public void Delete(ObjectKind kind, NamespacedName name)
        {
            lock (_gate) Assert.True(_services.Remove(name.Name));
        }

        public void Replace(ObjectKind kind, IEnumerable<KubernetesObject> values) => throw new NotSupportedException();

        public void MarkSynced(ObjectKind kind)
        {
            lock (_gate) Assert.True(_synced.Add(kind));
        }

        public void Report(string place, IReadOnlyList<ObjectProblem> problems)
        {
            lock (_gate)
            {
                if (problems.Count == 0) _problems.Remove(place);
                else _problems[place] = problems;
            }
        }
    }
}
