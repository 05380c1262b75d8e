using KubeProxy.Netlink;
using KubeProxy.Netlink.Generic;
using KubeProxy.Netlink.Testing;

namespace KubeProxy.Netfilter.Tests.Netlink;

public sealed class GenericFamilyTests
{
    private const ushort Control = 0x10; // GENL_ID_CTRL

    private static readonly GenericFamily Controller = new("nlctrl", Control, 2);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private enum Attribute : ushort
    {
        FamilyId = 1, // CTRL_ATTR_FAMILY_ID
        FamilyName = 2, // CTRL_ATTR_FAMILY_NAME
        Version = 3, // CTRL_ATTR_VERSION
        Operations = 6, // CTRL_ATTR_OPS
    }

    [Fact]
    public async Task A_family_is_asked_for_by_name()
    {
        using var transport = Kernel(writer =>
        {
            PutFamily(writer, "other", 0x20);
            PutFamily(writer, "IPVS", 0x1b);
        });
        using var channel = new NetlinkChannel(transport);

        Assert.Equal(new GenericFamily("IPVS", 0x1b, 3), await GenericFamily.ResolveAsync(channel, "IPVS", Ct));

        // | nlmsghdr | GETFAMILY, version 2, reserved | length 9, CTRL_ATTR_FAMILY_NAME, "IPVS", zero, padding |
        var sent = Assert.Single(transport.Sent);
        Assert.Equal([3, 2, 0, 0, 9, 0, 2, 0, .. "IPVS"u8, 0, 0, 0, 0], sent[NlMsgHeader.Size..]);
        Assert.Equal(Control, ScriptedReply.Headers(sent)[0].Type);
    }

    [Fact]
    public async Task A_family_that_the_kernel_lacks_is_not_found()
    {
        using var refusing = new ScriptedNetlinkTransport(sent => [ScriptedReply.Error(ScriptedReply.Headers(sent)[0], Errno.NoSuchEntry)]);
        using var channel = new NetlinkChannel(refusing);
        var error = await Assert.ThrowsAsync<NetlinkException>(() => GenericFamily.ResolveAsync(channel, "IPVS", Ct));
        Assert.Equal("find generic netlink family IPVS: ENOENT", error.Message);

        using var evasive = new NetlinkChannel(Kernel(writer => PutFamily(writer, "other", 0x20)));
        Assert.Equal(Errno.NoSuchEntry, (await Assert.ThrowsAsync<NetlinkException>(() => GenericFamily.ResolveAsync(evasive, "IPVS", Ct))).Errno);
    }

    [Fact]
    public async Task An_id_among_those_of_control_messages_is_an_error()
    {
        using var channel = new NetlinkChannel(Kernel(writer => PutFamily(writer, "IPVS", 2)));
        await Assert.ThrowsAsync<NetlinkFormatException>(() => GenericFamily.ResolveAsync(channel, "IPVS", Ct));
    }

    [Fact]
    public async Task A_name_has_1_to_15_bytes()
    {
        using var channel = new NetlinkChannel(Kernel(_ => { }));
        await Assert.ThrowsAsync<ArgumentException>(() => GenericFamily.ResolveAsync(channel, "", Ct));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => GenericFamily.ResolveAsync(channel, "sixteen-letters!", Ct));
    }

    /// <summary>What the kernel says about a family.</summary>
    internal static void PutFamily(NlMsgWriter writer, string name, ushort id)
    {
        writer.BeginMessage(Controller, 1 /* CTRL_CMD_NEWFAMILY */);
        writer.PutString(Attribute.FamilyName, name);
        writer.PutU16(Attribute.FamilyId, id);
        writer.PutU32(Attribute.Version, 3);
        using var operations = writer.BeginNested(Attribute.Operations);
    }

    private static ScriptedNetlinkTransport Kernel(Action<NlMsgWriter> put) => new(sent =>
    {
        var request = ScriptedReply.Headers(sent)[0];
        using var answer = new NlMsgWriter();
        put(answer);
        return [ScriptedReply.Messages(request.Sequence, answer), ScriptedReply.Ack(request)];
    });
}
