using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Kubernetes.Access;

/// <summary>Starts a credential plugin and reads what it prints.</summary>
internal sealed partial class ExecPlugin(ExecPluginConfig config, TimeProvider time, ILogger logger)
{
    private const int MaxOutput = 1 << 20;
    private const int MaxComplaint = 1024;

    /// <summary>Runs it once.</summary>
    /// <exception cref="ApiAccessException">It cannot be started, fails, takes too long, or prints no credentials.</exception>
    public async Task<ExecCredentialStatus> RunAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(config.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var process = Start();
        try
        {
            process.StandardInput.Close();
            var output = ReadAsync(process.StandardOutput.BaseStream, either.Token);
            var complaint = ReadAsync(process.StandardError.BaseStream, either.Token);
            await process.WaitForExitAsync(either.Token);
            var said = Shorten(Encoding.UTF8.GetString(await complaint).Trim());
            if (process.ExitCode != 0) throw Failure($"ended with code {process.ExitCode}: {said}");
            if (said.Length > 0) LogComplaint(logger, config.Command, said);
            return Parse(await output);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failure($"has not ended within {config.Timeout.TotalSeconds:0} s", e);
        }
        catch (IOException e)
        {
            throw Failure(e.Message, e);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private Process Start()
    {
        var start = new ProcessStartInfo(config.Command)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in config.Args) start.ArgumentList.Add(argument);
        foreach (var (name, value) in config.Env) start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = DescribeRequest();
        try
        {
            return Process.Start(start) ?? throw Failure("was not started");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            var hint = config.InstallHint is { Length: > 0 } text ? $"; {text}" : "";
            throw Failure($"cannot be started: {e.Message}{hint}", e);
        }
    }

    private string DescribeRequest()
    {
        var spec = new JsonObject { ["interactive"] = false };
        if (config.ClusterInfo is { } cluster) spec["cluster"] = cluster.DeepClone();
        return new JsonObject { ["apiVersion"] = config.ApiVersion, ["kind"] = "ExecCredential", ["spec"] = spec }.ToJsonString();
    }

    private ExecCredentialStatus Parse(byte[] output)
    {
        ExecCredential? credential;
        try
        {
            credential = JsonSerializer.Deserialize(output, ApiJsonContext.Default.ExecCredential);
        }
        catch (JsonException e)
        {
            throw Failure($"printed no ExecCredential: {e.Message}", e);
        }

        if (credential?.Kind != "ExecCredential")
            throw Failure("printed no ExecCredential: kind is " + (credential?.Kind ?? "missing"));
        if (credential.ApiVersion != config.ApiVersion)
            throw Failure($"printed apiVersion {credential.ApiVersion}, not {config.ApiVersion}");
        if (credential.Status is not { } status) throw Failure("printed no status");
        if (string.IsNullOrEmpty(status.Token) && string.IsNullOrEmpty(status.ClientCertificateData))
            throw Failure("printed neither status.token nor status.clientCertificateData");
        if (string.IsNullOrEmpty(status.ClientCertificateData) != string.IsNullOrEmpty(status.ClientKeyData))
            throw Failure("printed only one of status.clientCertificateData and status.clientKeyData");
        return status;
    }

    private static async Task<byte[]> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        var piece = new byte[4096];
        for (int count; (count = await stream.ReadAsync(piece, cancellationToken)) > 0;)
        {
            if (buffer.Length + count > MaxOutput) throw new IOException($"it prints more than {MaxOutput} bytes");
            buffer.Write(piece, 0, count);
        }

        return buffer.ToArray();
    }

    private static string Shorten(string text) => text.Length <= MaxComplaint ? text : text[..MaxComplaint] + "...";

    private ApiAccessException Failure(string reason, Exception? inner = null) =>
        new(config.Origin, "", $"{config.Command} {reason}", inner);

    [LoggerMessage(EventId = 410, Level = LogLevel.Information, Message = "Credential plugin {Command} says: {Text}")]
    private static partial void LogComplaint(ILogger logger, string command, string text);
}
