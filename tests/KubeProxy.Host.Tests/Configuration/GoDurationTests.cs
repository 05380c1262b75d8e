using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Tests.Configuration;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("0", 0, "0s")]
    [InlineData("0s", 0, "0s")]
    [InlineData("30s", 30_000_000_000, "30s")]
    [InlineData("24h", 86_400_000_000_000, "24h0m0s")]
    [InlineData("1h2m3.5s", 3_723_500_000_000, "1h2m3.5s")]
    [InlineData("90s", 90_000_000_000, "1m30s")]
    [InlineData("1500ms", 1_500_000_000, "1.5s")]
    [InlineData("500ms", 500_000_000, "500ms")]
    [InlineData("1.5us", 1_500, "1.5µs")]
    [InlineData("7ns", 7, "7ns")]
    [InlineData("-1m", -60_000_000_000, "-1m0s")]
    [InlineData("+5s", 5_000_000_000, "5s")]
    [InlineData(".5s", 500_000_000, "500ms")]
    public void Texts_are_those_of_Kubernetes(string text, long nanoseconds, string canonical)
    {
        Assert.True(GoDuration.TryParse(text, out var duration));
        Assert.Equal(nanoseconds, duration.Nanoseconds);
        Assert.Equal(canonical, duration.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("-")]
    [InlineData("1x")]
    [InlineData("1 s")]
    [InlineData(".s")]
    [InlineData("1.2.3s")]
    [InlineData("300000000h")]
    [InlineData("99999999999999999999999999999s")]
    [InlineData(null)]
    public void Other_texts_are_refused(string? text) => Assert.False(GoDuration.TryParse(text, out _));

    [Fact]
    public void Any_duration_survives_its_text() => Prop.ForAll<long>(nanoseconds =>
        GoDuration.TryParse(new GoDuration(nanoseconds).ToString(), out var parsed) && parsed.Nanoseconds == nanoseconds)
        .Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Theory]
    [InlineData("0", 0, "0")]
    [InlineData("64Ki", 65536, "64Ki")]
    [InlineData("1M", 1_000_000, "1000000")]
    [InlineData("2048", 2048, "2Ki")]
    public void Quantities_have_suffixes(string text, long bytes, string canonical)
    {
        Assert.True(Quantity.TryParse(text, out var quantity));
        Assert.Equal((bytes, canonical), (quantity.Value, quantity.ToString()));
        Assert.False(Quantity.TryParse(text + "x", out _));
    }
}
