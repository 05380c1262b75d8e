using System.Text;
using System.Text.Json;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Host.Http;
using KubeProxy.Kubernetes;

namespace KubeProxy.Host.Tests.Http;

public sealed class ApiServerSectionTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_server_that_answers_is_connected_and_nothing_else() =>
        Assert.Equal("""{"apiServer":{"connected":true,"kinds":[]}}""", Write(new ConnectionStatus(), []));

    [Fact]
    public void A_server_that_is_away_says_since_when_and_why() => Assert.Equal(
        """{"apiServer":{"connected":false,"awaySince":"2026-01-01T12:00:00Z","failedAttempts":3,"lastError":"no route","kinds":[{"kind":"Service","phase":"Waiting","synced":true,"objects":7,"resourceVersion":"42","lastContact":"2026-01-01T12:00:00Z","lastError":"403"}]}}""",
        Write(
            new ConnectionStatus { IsConnected = false, AwaySince = Noon, Attempts = 3, Error = "no route" },
            [
                new ReflectorStatus
                {
                    Kind = ObjectKind.Service, Phase = ReflectorPhase.Waiting, Synced = true, Objects = 7, ResourceVersion = "42", LastContact = Noon, Error = "403",
                },
            ]));

    private static string Write(ConnectionStatus connection, IReadOnlyList<ReflectorStatus> kinds)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            ApiServerSection.Write(writer, connection, kinds);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
