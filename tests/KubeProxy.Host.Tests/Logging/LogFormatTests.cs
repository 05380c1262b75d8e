using System.Text;
using System.Text.Json;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Logging;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Tests.Logging;

public sealed class LogFormatTests
{
    private static readonly DateTimeOffset Time = new(2026, 11, 23, 17, 12, 44, TimeSpan.Zero);

    private static string Text(ILogLineFormat format, LogLevel level, string message, Exception? error = null, params KeyValuePair<string, object?>[] values) =>
        Encoding.UTF8.GetString(format.Format(new LogLine(Time.AddTicks(1234560), level, "ProxyEngine", message, error, values)).Span);

    [Theory]
    [InlineData(LogLevel.Trace, 'I')]
    [InlineData(LogLevel.Information, 'I')]
    [InlineData(LogLevel.Warning, 'W')]
    [InlineData(LogLevel.Error, 'E')]
    [InlineData(LogLevel.Critical, 'F')]
    public void Text_lines_look_like_those_of_Kubernetes(LogLevel level, char severity) =>
        Assert.Equal($"{severity}1123 17:12:44.123456      42 ProxyEngine] Hello\n", Text(new KlogFormat(42), level, "Hello"));

    [Fact]
    public void A_message_is_one_line_whatever_is_in_it() =>
        Assert.Equal("I1123 17:12:44.123456       7 ProxyEngine] a\\nb\\x1b[31mc é\n", Text(new KlogFormat(7), LogLevel.Information, "a\nb\u001b[31mc é"));

    [Fact]
    public void An_error_is_appended() =>
        Assert.Equal("E1123 17:12:44.123456       7 ProxyEngine] Bad err=\"say \\\"no\\\"\"\n", Text(new KlogFormat(7), LogLevel.Error, "Bad", new InvalidOperationException("say \"no\"")));

    [Fact]
    public void Json_lines_have_the_keys_of_Kubernetes()
    {
        var line = Text(new JsonLogFormat(), LogLevel.Warning, "Bad \"x\"\n", new InvalidOperationException("no"), new KeyValuePair<string, object?>("ServiceName", "a/b"));
        Assert.EndsWith("}\n", line, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(line);
        Assert.Equal(["ts", "caller", "msg", "level", "serviceName", "err"], json.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.Equal(1795453964123.456, json.RootElement.GetProperty("ts").GetDouble(), 3);
        Assert.Contains("\"v\":4", Text(new JsonLogFormat(), LogLevel.Debug, "x"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, LogLevel.Information)]
    [InlineData(3, LogLevel.Information)]
    [InlineData(4, LogLevel.Debug)]
    [InlineData(5, LogLevel.Debug)]
    [InlineData(6, LogLevel.Trace)]
    [InlineData(10, LogLevel.Trace)]
    public void Verbosity_maps_to_levels(uint verbosity, LogLevel level) => Assert.Equal(level, new Verbosity(verbosity, []).LevelOf("A.B"));

    [Fact]
    public void Modules_are_exceptions()
    {
        var verbosity = new Verbosity(0, [new VModuleItem { FilePattern = "Proxy*", Verbosity = 4 }, new VModuleItem { FilePattern = "ProxyX", Verbosity = 6 }]);
        Assert.Equal((LogLevel.Debug, LogLevel.Debug, LogLevel.Information), (verbosity.LevelOf("K.ProxyEngine"), verbosity.LevelOf("ProxyX"), verbosity.LevelOf("K.Other")));
    }

    [Fact]
    public void The_provider_writes_what_the_verbosity_lets_through()
    {
        var output = new MemoryStream();
        using var provider = new StandardErrorLoggerProvider(output, new KlogFormat(1), new VerbositySwitch(new Verbosity(4, [])), TimeProvider.System);
        var logger = provider.CreateLogger("A.Source");
        logger.Log(LogLevel.Trace, default, "hidden", null, (state, _) => state);
        logger.Log(LogLevel.Debug, default, "shown", null, (state, _) => state);
        Assert.EndsWith(" Source] shown\n", Encoding.UTF8.GetString(output.ToArray()), StringComparison.Ordinal);
        Assert.Equal(1, output.ToArray().Count(value => value == '\n'));
    }
}
