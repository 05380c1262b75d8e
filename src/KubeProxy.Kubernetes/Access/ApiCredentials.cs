using System.Text;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Kubernetes.Access;

/// <summary>Who we are, for one request.</summary>
/// <param name="Authorization">The header; null for none.</param>
/// <param name="Tls">The certificates; null for plain http.</param>
internal sealed record RequestCredentials(string? Authorization, TlsMaterial? Tls);

/// <summary>
/// Reads credentials anew for each request, of which there are few: whatever is rotated counts at once, with no cache to expire.
/// Only what a plugin printed is kept, until it expires or the server refuses it. Thread-safe.
/// </summary>
internal sealed partial class ApiCredentials : IDisposable
{
    private readonly ApiServerAccess _access;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ClientMetrics _metrics;
    private readonly ExecPlugin? _plugin;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private ExecCredentialStatus? _printed;
    private string? _lastToken;
    private TlsMaterial? _lastTls;

    public ApiCredentials(ApiServerAccess access, TimeProvider time, ILogger logger, ClientMetrics metrics)
    {
        (_access, _time, _logger, _metrics) = (access, time, logger, metrics);
        if (access.Exec is { } exec) _plugin = new ExecPlugin(exec, time, logger);
    }

    /// <summary>Reads everything that needs no plugin, so that a mistake in the configuration shows at the start.</summary>
    /// <exception cref="ApiAccessException">Something cannot be read.</exception>
    public void Check()
    {
        _ = ReadToken();
        ReadTls(null)?.ToOptions();
    }

    /// <exception cref="ApiAccessException">They cannot be had now.</exception>
    public async ValueTask<RequestCredentials> GetAsync(CancellationToken cancellationToken)
    {
        var printed = _plugin is null ? null : await GetPrintedAsync(_plugin, cancellationToken);
        var token = printed?.Token is { Length: > 0 } fresh ? fresh : ReadToken();
        return new RequestCredentials(AuthorizationOf(token), ReadTls(printed));
    }

    /// <summary>The server refused these: a plugin that printed them has to do it again.</summary>
    public void Refuse(RequestCredentials credentials)
    {
        var printed = _printed;
        if (printed is not null && AuthorizationOf(printed.Token) == credentials.Authorization)
            Interlocked.CompareExchange(ref _printed, null, printed);
    }

    public void Dispose() => _turn.Dispose();

    private async ValueTask<ExecCredentialStatus> GetPrintedAsync(ExecPlugin plugin, CancellationToken cancellationToken)
    {
        if (IsFresh(_printed)) return _printed!;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (IsFresh(_printed)) return _printed!;
            var printed = await plugin.RunAsync(cancellationToken);
            _metrics.CountPlugin(succeeded: true);
            _printed = printed;
            return printed;
        }
        catch (ApiAccessException)
        {
            _metrics.CountPlugin(succeeded: false);
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private bool IsFresh(ExecCredentialStatus? printed) =>
        printed is not null && !(printed.ExpirationTimestamp <= _time.GetUtcNow());

    private string? AuthorizationOf(string? token) =>
        token is { Length: > 0 } ? "Bearer " + token
        : _access.Username is { } username
            ? "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{_access.Password}"))
        : null;

    private string? ReadToken()
    {
        if (_access.Token is not { } source) return null;
        try
        {
            var token = Encoding.UTF8.GetString(source.Read()).Trim();
            if (token.Length == 0) throw source.Failure("has no token in it");
            if (token.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0)
                throw source.Failure("has a token with characters that no token has");
            return _lastToken = token;
        }
        catch (ApiAccessException e) when ((_lastToken ?? _access.FallbackToken) is { } last)
        {
            LogStaleToken(_logger, e.Message);
            return last;
        }
    }

    private TlsMaterial? ReadTls(ExecCredentialStatus? printed)
    {
        if (_access.Server.Scheme != "https" || _access.Handler is not null) return null;
        try
        {
            var fromPlugin = printed?.ClientCertificateData is { Length: > 0 };
            return _lastTls = new TlsMaterial(
                _access.CertificateAuthority?.Read(),
                fromPlugin ? Encoding.UTF8.GetBytes(printed!.ClientCertificateData!) : _access.ClientCertificate?.Read(),
                fromPlugin ? Encoding.UTF8.GetBytes(printed!.ClientKeyData!) : _access.ClientKey?.Read(),
                _access);
        }
        catch (ApiAccessException e) when (_lastTls is { } last)
        {
            LogStaleCertificates(_logger, e.Message);
            return last;
        }
    }

    [LoggerMessage(EventId = 411, Level = LogLevel.Warning, Message = "{Problem}; the last token that could be read is used")]
    private static partial void LogStaleToken(ILogger logger, string problem);

    [LoggerMessage(EventId = 412, Level = LogLevel.Warning,
        Message = "{Problem}; the last certificates that could be read are used")]
    private static partial void LogStaleCertificates(ILogger logger, string problem);
}
