using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Backends;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Logging;
using KubeProxy.Host.Node;
using KubeProxy.Host.Sources;
using KubeProxy.Kubernetes.Access;
using KubeProxy.Netfilter;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>The program: from arguments to the exit code, 0 or 1 (that of <see cref="MigrateCommand"/> has a meaning of its own).</summary>
/// <param name="parts">What comes from outside.</param>
internal sealed partial class ProxyProgram(ProxyParts parts)
{
    private const int Success = 0;
    private const int Failure = 1;

    /// <summary>Runs until done, told to stop by a signal (then the rules stay, and the code is 0), or cancelled.</summary>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        if (arguments.Count > 0 && Subcommands(parts).GetValueOrDefault(arguments[0]) is { } subcommand) return await subcommand([.. arguments.Skip(1)], cancellationToken);
        if (ProxyCommandLine.Parse(arguments, out var errors) is not { } parsed)
        {
            if (errors.Count == 0) ProxyCommandLine.WriteHelp(parts.Output);
            foreach (var error in errors) await parts.Errors.WriteLineAsync($"kube-proxy: {SingleLine.Of(error)}");
            if (errors.Count > 0) await parts.Errors.WriteLineAsync("Try 'kube-proxy --help'.");
            return errors.Count == 0 ? Success : Failure;
        }

        if (parsed.Version is { } version)
        {
            await parts.Output.WriteLineAsync(VersionText.Format(version));
            return Success;
        }

        try
        {
            var configuration = ConfigurationLoader.Load(parsed, out var warnings);
            return await RunAsync(parsed, configuration, warnings, cancellationToken);
        }
        catch (ConfigurationException problem)
        {
            await parts.Errors.WriteLineAsync($"kube-proxy: {problem.Message}");
            return Failure;
        }
    }

    private static async Task<int> ShowAsync(ProxyParts parts, string? text, string otherwise = "")
    {
        await (text is null ? parts.Errors.WriteLineAsync(otherwise) : parts.Output.WriteAsync(text));
        return text is null ? SubcommandFrame.CannotBeTold : Success;
    }

    private static Dictionary<string, Func<IReadOnlyList<string>, CancellationToken, Task<int>>> Subcommands(ProxyParts parts) => new(StringComparer.Ordinal)
    {
        ["migrate"] = new MigrateCommand(parts).RunAsync,
        [Subcommand.Plan.Name] = new PlanCommand(parts).RunAsync,
        [Subcommand.Status.Name] = new StatusCommand(parts).RunAsync,
        [Subcommand.Diff.Name] = new DiffCommand(parts).RunAsync,
        [Subcommand.Explain.Name] = new ExplainCommand(parts).RunAsync,
        ["man"] = (_, _) => ShowAsync(parts, ManualPage.Text()),
        ["completion"] = (shells, _) => ShowAsync(parts, shells is [var shell] ? Completion.For(shell) : null, "kube-proxy completion: expected bash, zsh or fish"),
    };

    private async Task<int> RunAsync(
        ProxyArguments arguments, EffectiveConfiguration configuration, IReadOnlyList<ConfigurationProblem> warnings, CancellationToken cancellationToken)
    {
        var verbosity = new VerbositySwitch(LoggingSetup.VerbosityOf(configuration.Source.Logging));
        using var provider = LoggingSetup.CreateProvider(configuration.Source.Logging, verbosity, parts.Time, parts.OpenLog());
        using var loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new Undisposed(provider)));
        var logger = loggers.CreateLogger(typeof(ProxyProgram).FullName!);
        foreach (var warning in warnings) LogForgiven(logger, arguments.ConfigFile ?? "Command line", warning);
        if (arguments.WriteConfigTo is { } path) return WriteConfiguration(path, configuration);
        if (arguments.Cleanup) return await CleanAsync(configuration.Source, logger, cancellationToken);
        var settings = new KernelSettings(parts.Root);
        new ConntrackSettings(settings, loggers.CreateLogger<ConntrackSettings>()).Apply(configuration.Source.Conntrack, CpuCount.Online(parts.Root));
        await NoteSysctlsAsync(configuration.Source, logger, cancellationToken);
        return arguments.InitOnly ? Prepare(configuration, settings, logger) : await ServeAsync(arguments, configuration, verbosity, provider, loggers, logger, cancellationToken);
    }

    // Before anything sets them: another mode, or --cleanup, is to put them back.
    private async Task NoteSysctlsAsync(KubeProxyConfiguration configuration, ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            await parts.NoteSysctls(configuration, cancellationToken);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            LogCannotNote(logger, problem.Message);
        }
    }

    private static int Prepare(EffectiveConfiguration configuration, KernelSettings settings, ILogger logger)
    {
        try
        {
            ProxyBackends.Prepare(configuration, settings, logger);
            return Success;
        }
        catch (ProxyBackendException problem)
        {
            LogCannotStart(logger, problem.Message);
            return Failure;
        }
    }

    private async Task<int> ServeAsync(
        ProxyArguments arguments, EffectiveConfiguration configuration, VerbositySwitch verbosity, ILoggerProvider provider, ILoggerFactory loggers,
        ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            new OomScore(loggers.CreateLogger<OomScore>(), OomScore.PathBelow(parts.Root)).Apply(configuration.Source.OomScoreAdj ?? 0);
            var node = new NodeSettings(configuration).NodeName;
            var sources = new ProxySources(arguments, configuration, node, parts.Time);
            using var host = new ProxyHost(arguments, configuration, verbosity, sources, parts).Build(new Undisposed(provider));
            host.Services.GetRequiredService<ConnectedSource>(); // What is wrong comes out here, not amid the start of the services.
            host.Services.GetRequiredService<ProxyEngine>();
            var exit = host.Services.GetRequiredService<ProcessExit>(); // Both are taken now: RunAsync disposes the host.
            var services = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
            LogStarting(logger, KubernetesVersion.Full, configuration.Mode, node);
            host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(host.Services.GetRequiredService<ServiceReadiness>().Stopping);
            await host.RunAsync(cancellationToken);
            // The host stops when one of its services throws, but takes that for an orderly end.
            return services.Any(service => service.ExecuteTask?.IsFaulted == true) ? Failure : exit.Code;
        }
        catch (Exception problem) when (problem is ProxyBackendException or ApiAccessException)
        {
            LogCannotStart(logger, problem.Message);
            return Failure;
        }
    }

    private int WriteConfiguration(string path, EffectiveConfiguration configuration)
    {
        try
        {
            File.WriteAllText(path, ConfigurationFile.ToYaml(configuration.Source));
            return Success;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            parts.Errors.WriteLine($"kube-proxy: --write-config-to: {problem.Message}");
            return Failure;
        }
    }

    private async Task<int> CleanAsync(KubeProxyConfiguration configuration, ILogger logger, CancellationToken cancellationToken)
    {
        var code = Success;
        foreach (var cleaner in parts.Cleaners(configuration))
        {
            try
            {
                foreach (var removed in await cleaner.CleanAsync(cancellationToken)) LogRemoved(logger, removed);
            }
            catch (Exception problem) when (problem is not OperationCanceledException)
            {
                LogCannotClean(logger, cleaner.Subject, problem.Message);
                code = Failure;
            }
        }

        return code;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Starting in place of kube-proxy {Version}: mode {Mode}, node {Node}")]
    private static partial void LogStarting(ILogger logger, string version, string mode, string node);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The values of sysctls that this mode sets cannot be noted, so that no other mode puts them back: {Reason}")]
    private static partial void LogCannotNote(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Cannot start: {Reason}")]
    private static partial void LogCannotStart(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{File}: {Warning}")]
    private static partial void LogForgiven(ILogger logger, string file, ConfigurationProblem warning);

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed {What}")]
    private static partial void LogRemoved(ILogger logger, string what);

    [LoggerMessage(Level = LogLevel.Error, Message = "Cannot remove what {Subject} left: {Reason}")]
    private static partial void LogCannotClean(ILogger logger, string subject, string reason);

    /// <summary>The one provider serves two factories; neither owns it.</summary>
    private sealed class Undisposed(ILoggerProvider provider) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => provider.CreateLogger(categoryName);

        public void Dispose() { }
    }
}
