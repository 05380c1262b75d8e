using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Kubernetes.Json;
using KubeProxy.Kubernetes.Protobuf;
using KubeProxy.Kubernetes.Wire;
using KubeProxy.TestKit.Api;
using static KubeProxy.TestKit.Api.ProtobufWriter;

namespace KubeProxy.Kubernetes.Tests;

public sealed class ProtobufFormatTests
{
    private static readonly ProtobufFormat Format = new();
    private static readonly JsonFormat Json = new();

    /// <summary>The examples of the description of the encoding (protobuf.dev/programming-guides/encoding).</summary>
    [Fact]
    public void Wire_format_is_as_documented()
    {
        var reader = Format.Open([0x08, 0x96, 0x01, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67, 0x18, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x25, 1, 2, 3, 4, 0x29, 1, 2, 3, 4, 5, 6, 7, 8, 0x30, 1]);
        Assert.True(reader.Next());
        Assert.Equal((1, 150), (reader.Field, reader.Int32("")));
        Assert.True(reader.Next());
        Assert.Equal((2, "testing"), (reader.Field, reader.Text("")));
        Assert.True(reader.Next());
        Assert.Equal((3, -2), (reader.Field, reader.Int32("")));
        Assert.True(reader.Next());
        reader.Skip(); // 32 bits
        Assert.True(reader.Next());
        reader.Skip(); // 64 bits
        Assert.True(reader.Next());
        Assert.Equal((6, true), (reader.Field, reader.Bool("")));
        Assert.False(reader.Next());
    }

    /// <summary>A Service as bytes, written down by hand from the numbers of Kubernetes' generated.proto.</summary>
    [Fact]
    public void Service_by_hand()
    {
        byte[] metadata = [0x0a, 3, .. "web"u8, 0x1a, 4, .. "shop"u8, 0x32, 2, .. "17"u8, 0x42, 0];
        byte[] port = [0x0a, 4, .. "http"u8, 0x12, 3, .. "TCP"u8, 0x18, 80, 0x22, 4, 0x08, 0, 0x10, 80, 0x28, 0xb0, 0xeb, 0x01];
        byte[] spec = [0x0a, (byte)port.Length, .. port, 0x1a, 8, .. "10.0.0.1"u8, 0x22, 8, .. "NodePort"u8, 0x92, 0x01, 8, .. "10.0.0.1"u8, 0x9a, 0x01, 4, .. "IPv4"u8, 0xb2, 0x01, 5, .. "Local"u8];
        byte[] status = [0x0a, 14, 0x0a, 12, 0x0a, 10, .. "192.0.2.10"u8];
        var service = Assert.IsType<Service>(Format.ReadObject(ObjectKind.Service,
            [0x0a, (byte)metadata.Length, .. metadata, 0x12, (byte)spec.Length, .. spec, 0x1a, (byte)status.Length, .. status]));

        Assert.Equal(("shop/web", "17"), (service.Name.ToString(), service.Metadata.ResourceVersion));
        Assert.Equal(("http", "TCP", 80, 30128), (service.Spec.Ports[0].Name, service.Spec.Ports[0].Protocol, service.Spec.Ports[0].Port, service.Spec.Ports[0].NodePort));
        Assert.Equal(("NodePort", "10.0.0.1", "Local", null), (service.Spec.Type, service.Spec.ClusterIP, service.Spec.InternalTrafficPolicy, service.Spec.ExternalTrafficPolicy));
        Assert.Equal(["10.0.0.1"], service.Spec.ClusterIPs);
        Assert.Equal(["IPv4"], service.Spec.IPFamilies);
        Assert.Equal("192.0.2.10", service.Status.LoadBalancer!.Ingress[0].IP);
    }

    [Fact]
    public void Objects_are_the_same_in_both_encodings()
    {
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(RandomObjects.Any().ToArbitrary(), entry =>
        {
            var (kind, json) = entry;
            Assert.Equal(
                Describe(Json.ReadObject(kind, Encoding.UTF8.GetBytes(json.ToJsonString()))),
                Describe(Format.ReadObject(kind, Encode(kind.ToName(), json))));
        }));
    }

    [Fact]
    public void Identity_is_the_same_in_both_encodings()
    {
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(RandomObjects.Any().ToArbitrary(), entry =>
        {
            var (kind, json) = entry;
            Assert.Equal(Json.ReadHead(Encoding.UTF8.GetBytes(json.ToJsonString())), Format.ReadHead(Encode(kind.ToName(), json)));
        }));
        var end = Encode("Service", new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = "6", ["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" } } });
        Assert.Equal(new ObjectHead("", "", "6", true), Format.ReadHead(end));
        var no = Encode("Service", new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "false", ["x"] = "true" } } });
        Assert.False(Format.ReadHead(no).InitialEventsEnd);
    }

    [Fact]
    public void Strings_that_come_often_are_shared()
    {
        var slice = Encode("EndpointSlice", ApiObjects.Slice("web-1", "web", ["10.0.0.1", "10.0.0.1"]));
        var (one, other) = ((EndpointSlice)Format.ReadObject(ObjectKind.EndpointSlice, slice), (EndpointSlice)Format.ReadObject(ObjectKind.EndpointSlice, slice));
        Assert.Same(one.Endpoints[0].NodeName, other.Endpoints[1].NodeName);
        Assert.Same(one.Endpoints[0].Conditions, other.Endpoints[1].Conditions);
        Assert.Same(one.Metadata.Namespace, other.Metadata.Namespace);
    }

    public static TheoryData<ObjectKind, byte[], string, string> Malformed()
    {
        var named = Field(1, Field(1, "x"u8));
        byte[] noText = [0xff];
        return new()
        {
            { ObjectKind.Service, [.. named, .. Field(2, Field(1, Field(3, 1L << 40)))], "spec.ports[0].port", "1099511627776 is out of range" },
            { ObjectKind.Service, [.. named, .. Field(2, [.. Field(1, []), .. Field(1, Field(5, "80"u8))])], "spec.ports[1].nodePort", "the value is of the wrong type" },
            { ObjectKind.Service, [.. named, .. Field(2, [.. Field(18, "10.0.0.1"u8), .. Field(18, noText)])], "spec.clusterIPs[1]", "the string is not valid Unicode" },
            { ObjectKind.Service, [.. named, .. Field(2, Field(14, Field(1, Field(1, 1L << 33))))], "spec.sessionAffinityConfig.clientIP.timeoutSeconds", "8589934592 is out of range" },
            { ObjectKind.Service, [.. named, .. Field(3, Field(1, Field(1, Field(1, noText))))], "status.loadBalancer.ingress[0].ip", "the string is not valid Unicode" },
            { ObjectKind.Service, [.. named, .. Field(2, [0x0a, 5, 1])], "spec.ports[0]", "the value is cut off" },
            { ObjectKind.Service, [.. named, .. Field(2, [0x1a, 0x80])], "spec.clusterIP", "the value is cut off" },
            { ObjectKind.Service, [.. named, .. Field(2, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])], "spec", "the message is damaged" },
            { ObjectKind.Service, [.. named, .. Field(2, [0x00, 0x00])], "spec", "the message is damaged" },
            { ObjectKind.Service, [.. named, .. Field(2, [0x13, 0x14])], "spec", "field 2 is damaged" },
            { ObjectKind.Service, [.. named, .. Field(2, [0x11, 1, 2, 3])], "spec", "field 2 is damaged" },
            { ObjectKind.Service, [.. named, 0x12], "spec", "the value is cut off" },
            { ObjectKind.Service, Field(2, Field(4, "ClusterIP"u8)), "metadata.name", "missing" },
            { ObjectKind.Service, [], "metadata.name", "missing" },
            { ObjectKind.EndpointSlice, [.. named, .. Field(2, Field(1, noText))], "endpoints[0].addresses[0]", "the string is not valid Unicode" },
            { ObjectKind.EndpointSlice, [.. named, .. Field(2, Field(2, Field(1, "yes"u8)))], "endpoints[0].conditions.ready", "the value is of the wrong type" },
            { ObjectKind.EndpointSlice, [.. named, .. Field(2, Field(8, Field(1, Field(1, 5))))], "endpoints[0].hints.forZones[0].name", "the value is of the wrong type" },
            { ObjectKind.EndpointSlice, [.. named, .. Field(3, []), .. Field(3, Field(3, -1L << 40))], "ports[1].port", "-1099511627776 is out of range" },
            { ObjectKind.Node, Field(1, [.. Field(1, "x"u8), .. Field(8, Field(1, long.MaxValue))]), "metadata.creationTimestamp.seconds", "9223372036854775807 is out of range" },
            { ObjectKind.Node, [.. named, .. Field(3, Field(5, Field(2, noText)))], "status.addresses[0].address", "the string is not valid Unicode" },
            { ObjectKind.ServiceCIDR, [.. named, .. Field(2, Field(1, noText))], "spec.cidrs[0]", "the string is not valid Unicode" },
        };
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Malformed_field_is_named(ObjectKind kind, byte[] bytes, string field, string reason)
    {
        var e = Assert.Throws<KubernetesObjectException>(() => Format.ReadObject(kind, bytes));
        Assert.Equal((kind.ToName(), field, reason), (e.Kind, e.Field, e.Reason));
        Assert.Equal(e.Message, Assert.Throws<KubernetesObjectException>(() => Format.ReadObjectBody(kind, Wrap("v1", kind.ToName(), bytes))).Message);
    }

    [Fact]
    public void Identity_of_a_malformed_object_is_read_as_far_as_it_goes()
    {
        byte[] bytes = [.. Field(1, [.. Field(1, "web"u8), .. Field(3, "shop"u8), .. Field(6, "5"u8), 0x12]), .. Field(2, "?"u8), 0xff];
        Assert.Equal(new ObjectHead("web", "shop", "5", false), Format.ReadHead(bytes));
        Assert.Equal(new NamespacedName("shop", "web"), Format.ReadHead(bytes).NameAs(ObjectKind.Service));
    }

    [Fact]
    public void Items_of_a_list_are_found_however_the_bytes_are_cut()
    {
        var bytes = ListOf("17", "x", [[1, 2, 3], [], new byte[300]]);
        for (var piece = 1; piece < 60; piece++)
        {
            var (items, list) = ReadList(bytes, piece);
            Assert.Equal([[1, 2, 3], [], new byte[300]], items);
            Assert.Equal(new ListMetadata { ResourceVersion = "17", Continue = "x" }, list);
        }
    }

    [Fact]
    public void Unknown_fields_of_a_list_are_left_out_however_large()
    {
        byte[] list = [.. Field(99, 5), .. Field(98, new byte[5000]), .. Field(1, Field(2, "3"u8)), .. Field(2, "a"u8), 0x1d, 1, 2, 3, 4];
        byte[] body = [.. "k8s\0"u8, .. Field(7, new byte[5000]), .. Field(2, list)];
        var (items, metadata) = ReadList(body, 100, 1000);
        Assert.Equal("3", metadata.ResourceVersion);
        Assert.Equal(["a"u8.ToArray()], items);
    }

    [Fact]
    public void Every_truncation_of_a_list_is_an_error_or_has_no_version()
    {
        var bytes = ListOf("1", "", [[1], [2, 2]])[..^4];
        for (var length = 0; length < bytes.Length; length++)
        {
            var cut = bytes[..length];
            // Before the list itself the envelope may end: then there is no version.
            try
            {
                Assert.Null(ReadList(cut, 16).List.ResourceVersion);
            }
            catch (ApiRequestException)
            {
                // As it should be.
            }
        }

        Assert.Throws<ApiRequestException>(() => ReadList(bytes[..^1], 16));
    }

    [Theory]
    [InlineData("{\"kind\":\"ServiceList\"}")]
    [InlineData("")]
    [InlineData("k8s")]
    public void What_is_no_list_is_an_error(string text) => Assert.Throws<ApiRequestException>(() => ReadList(Encoding.UTF8.GetBytes(text), 16));

    [Fact]
    public void Item_that_is_too_large_or_reaches_beyond_the_list_is_an_error()
    {
        Assert.Throws<ApiRequestException>(() => ReadList(ListOf("1", "", [new byte[5000]]), 100, 1000));
        byte[] beyond = [.. "k8s\0"u8, .. Head(2, 4), .. Field(2, new byte[50])];
        Assert.Throws<ApiRequestException>(() => ReadList(beyond, 16));
        byte[] endless = [.. "k8s\0"u8, .. Head(2, long.MaxValue)];
        Assert.Throws<ApiRequestException>(() => ReadList(endless, 16));
    }

    [Fact]
    public void Events_are_found_however_the_bytes_are_cut()
    {
        byte[] bytes = [.. Frame("ADDED", Wrap("v1", "Service", [1, 2])), .. Frame("DELETED", Wrap("v1", "Service", [])), .. Frame("NEW", Wrap("v1", "Service", new byte[300]))];
        for (var piece = 1; piece < 60; piece++)
        {
            Assert.Equal([(WatchEventType.Added, 2), (WatchEventType.Deleted, 0), (WatchEventType.Unknown, 300)], ReadWatch(bytes, piece));
        }

        for (var length = 1; length < Frame("ADDED", Wrap("v1", "Service", [1, 2])).Length; length++)
            Assert.Throws<ApiRequestException>(() => ReadWatch(bytes[..length], 16));
    }

    [Fact]
    public void Status_is_read()
    {
        var json = new JsonObject
        {
            ["status"] = "Failure",
            ["message"] = "too old",
            ["reason"] = "Expired",
            ["code"] = 410,
            ["details"] = new JsonObject { ["retryAfterSeconds"] = 3, ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ResourceVersionTooLarge" }) },
        };
        var status = Format.ReadStatusBody(Wrap("v1", "Status", EncodeStatus(json)));
        Assert.Equal((410, "Expired", "too old", 3), (status.Code, status.Reason, status.Message, status.Details!.RetryAfterSeconds));
        Assert.Equal("ResourceVersionTooLarge", Assert.Single(status.Details.Causes!)!.Reason);
        Assert.Equal(new ApiStatus(), Format.ReadStatusBody("<html>"u8));
    }

    [Theory]
    [InlineData("application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf, application/json", "")]
    [InlineData("application/json", "application/json", "")]
    [InlineData("", "application/json", "")]
    [InlineData("application/json, Application/vnd.kubernetes.protobuf", "application/json, Application/vnd.kubernetes.protobuf", "")]
    [InlineData("application/cbor,application/vnd.kubernetes.protobuf,text/*", "application/vnd.kubernetes.protobuf, application/json", "application/cbor text/*")]
    public void Accept_header_has_what_is_understood_and_json(string wanted, string accept, string unknown)
    {
        var formats = new WireFormats(wanted);
        Assert.Equal((accept, unknown), (formats.Accept, string.Join(' ', formats.Unknown)));
    }

    [Fact]
    public void Any_bytes_are_read_or_an_error()
    {
        var random = new Random(Environment.TickCount);
        var samples = RandomObjects.Any().Sample(50).Select(entry => (entry.Kind, Bytes: Encode(entry.Kind.ToName(), entry.Json))).ToList();
        for (var i = 0; i < 200_000; i++)
        {
            var (kind, sample) = samples[random.Next(samples.Count)];
            var bytes = Mutate(sample, random);
            TryRead(() => Format.ReadObject(kind, bytes));
            Format.ReadHead(bytes);
            Format.ReadStatusBody(bytes);
            if (i % 20 > 0) continue;
            TryRead(() => ReadList(Mutate(ListOf("1", "", [sample]), random), 50));
            TryRead(() => ReadWatch(Mutate(Frame("ADDED", Wrap("v1", kind.ToName(), sample)), random), 50));
        }
    }

    /// <summary>Nothing but our own exceptions may come out.</summary>
    private static void TryRead(Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (e is KubernetesObjectException or ApiRequestException)
        {
            Assert.NotEmpty(e.Message);
        }
    }

    private static byte[] Mutate(byte[] sample, Random random)
    {
        if (random.Next(10) == 0)
        {
            var noise = new byte[random.Next(40)];
            random.NextBytes(noise);
            return noise;
        }

        var bytes = random.Next(3) == 0 ? sample[..random.Next(sample.Length + 1)] : [.. sample];
        for (var i = random.Next(4); i >= 0 && bytes.Length > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    private static byte[] ListOf(string version, string page, byte[][] items)
    {
        byte[] list = [.. Field(1, [.. Field(1, []), .. Field(2, Encoding.UTF8.GetBytes(version)), .. Field(3, Encoding.UTF8.GetBytes(page))]), .. items.SelectMany(item => Field(2, item))];
        return Wrap("v1", "ServiceList", list);
    }

    private static (List<byte[]> Items, ListMetadata List) ReadList(byte[] bytes, int piece, int maxValueBytes = 1 << 20)
    {
        var items = new List<byte[]>();
        var list = Format.ReadListAsync(PieceStream.Open(bytes, piece, maxValueBytes), item => items.Add(item.Bytes.ToArray())).GetAwaiter().GetResult();
        return (items, list);
    }

    private static List<(WatchEventType Type, int Length)> ReadWatch(byte[] bytes, int piece)
    {
        var events = new List<(WatchEventType, int)>();
        var watch = Format.OpenWatch(PieceStream.Open(bytes, piece));
        while (watch.ReadAsync((type, value) => events.Add((type, value.Bytes.Length))).AsTask().GetAwaiter().GetResult())
        {
        }

        return events;
    }

    private static string Describe(KubernetesObject value) => value switch
    {
        Service service => JsonSerializer.Serialize(service, KubernetesJsonContext.Default.Service),
        EndpointSlice slice => JsonSerializer.Serialize(slice, KubernetesJsonContext.Default.EndpointSlice),
        Node node => JsonSerializer.Serialize(node, KubernetesJsonContext.Default.Node),
        _ => JsonSerializer.Serialize((ServiceCIDR)value, KubernetesJsonContext.Default.ServiceCIDR),
    };
}
