//! Seeds that are texts.

/// Eleven by nine grey pixels.
pub const JPEG: &[u8] = &[
    0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46, 0x00, 0x01, 0x01, 0x00, 0x00, 0x01,
    0x00, 0x01, 0x00, 0x00, 0xff, 0xdb, 0x00, 0x43, 0x00, 0x10, 0x0b, 0x0c, 0x0e, 0x0c, 0x0a, 0x10,
    0x0e, 0x0d, 0x0e, 0x12, 0x11, 0x10, 0x13, 0x18, 0x28, 0x1a, 0x18, 0x16, 0x16, 0x18, 0x31, 0x23,
    0x25, 0x1d, 0x28, 0x3a, 0x33, 0x3d, 0x3c, 0x39, 0x33, 0x38, 0x37, 0x40, 0x48, 0x5c, 0x4e, 0x40,
    0x44, 0x57, 0x45, 0x37, 0x38, 0x50, 0x6d, 0x51, 0x57, 0x5f, 0x62, 0x67, 0x68, 0x67, 0x3e, 0x4d,
    0x71, 0x79, 0x70, 0x64, 0x78, 0x5c, 0x65, 0x67, 0x63, 0xff, 0xc0, 0x00, 0x0b, 0x08, 0x00, 0x09,
    0x00, 0x0b, 0x01, 0x01, 0x11, 0x00, 0xff, 0xc4, 0x00, 0x16, 0x00, 0x01, 0x01, 0x01, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x01, 0x06, 0xff, 0xc4,
    0x00, 0x27, 0x10, 0x00, 0x01, 0x02, 0x03, 0x06, 0x07, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x01, 0x02, 0x04, 0x03, 0x11, 0x12, 0x00, 0x05, 0x13, 0x35, 0x41, 0x51, 0x14,
    0x21, 0x23, 0x31, 0x61, 0x72, 0x82, 0xc1, 0xff, 0xda, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x3f,
    0x00, 0xa8, 0x87, 0x01, 0xbb, 0x95, 0x70, 0x01, 0x38, 0x69, 0x66, 0x57, 0x88, 0x0a, 0x61, 0xa6,
    0x92, 0x4a, 0x45, 0x53, 0x14, 0x92, 0x47, 0x7a, 0x81, 0x13, 0xd2, 0x60, 0x90, 0x37, 0x2e, 0x1a,
    0xa1, 0xc2, 0xc3, 0xeb, 0xe1, 0xe3, 0x77, 0x33, 0xea, 0xc2, 0x6d, 0xca, 0x1a, 0x55, 0xad, 0x34,
    0xcc, 0x79, 0xdf, 0x79, 0x19, 0xdb, 0x46, 0x9c, 0xe7, 0xea, 0xc6, 0xb8, 0xb2, 0x66, 0xbe, 0x9f,
    0xb6, 0xff, 0xd9,
];

pub const WPI: &str = "<?xml version=\"1.0\"?><bts:WellPlate xmlns:bts=\"http://www.yokogawa.co.jp/BTS/BTSSchema/1.0\" bts:Name=\"P\" bts:Rows=\"32\" bts:Columns=\"48\"/>";
pub const MRF: &str = "<bts:MeasurementDetail xmlns:bts=\"http://www.yokogawa.co.jp/BTS/BTSSchema/1.0\" bts:Title=\"P\" bts:RowCount=\"32\" bts:ColumnCount=\"48\" bts:EndTime=\"2026-07-31T12:00:00\"><bts:MeasurementChannel bts:Ch=\"1\" bts:HorizontalPixelDimension=\"0.325\"/><bts:MeasurementChannel bts:Ch=\"12\" bts:HorizontalPixelDimension=\"0.65\"/></bts:MeasurementDetail>";
pub const MES: &str = "<bts:MeasurementSetting xmlns:bts=\"http://www.yokogawa.co.jp/BTS/BTSSchema/1.0\"><bts:ChannelList><bts:Channel bts:Ch=\"1\" bts:Fluorophore=\"DAPI\"/><bts:Channel bts:Ch=\"12\" bts:Acquisition=\"BP525/50\"/></bts:ChannelList></bts:MeasurementSetting>";

pub const HTD_SITES: &str = "\"Sites\", TRUE\r\n\"XSites\", 2\r\n\"YSites\", 2\r\n\"SiteSelection1\", TRUE, FALSE\r\n\"SiteSelection2\", TRUE, TRUE\r\n\"Waves\", TRUE\r\n\"NWavelengths\", 2\r\n\"WaveName1\", \"DAPI\"\r\n\"WaveName2\", \"Cy5\"";
pub const HTD_STACK: &str = "\"ZSeries\", TRUE\r\n\"ZSteps\", 5\r\n\"ZProjection\", FALSE\r\n\"TimePoints\", 3\r\n\"Waves\", FALSE";

const OME: &str = "<?xml version='1.0' encoding='UTF-8'?><OME xmlns='http://www.openmicroscopy.org/Schemas/OME/2016-06' UUID='urn:uuid:1'><Image ID='Image:0'><Pixels DimensionOrder='XYZCT' SizeX='1' SizeY='1' SizeC='2' SizeZ='3' SizeT='1' PhysicalSizeX='325' PhysicalSizeXUnit='nm' PhysicalSizeY='0.5'><Channel Name='DAPI'/><Channel Name='GFP' SamplesPerPixel='1'/>BODY</Pixels></Image></OME>";

/// Requests of every kind.
const REQUESTS: &[(&str, &str)] = &[
    (
        "status",
        "GET /api/v1/status HTTP/1.1\r\nhost: localhost:8787\r\n\r\n",
    ),
    (
        "page",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:8787\r\nAccept: text/html\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n\r\n",
    ),
    (
        "plate",
        "GET /plates/1?well=A01 HTTP/1.1\r\nhost: [::1]:8787\r\naccept: text/html\r\n\r\n",
    ),
    (
        "task",
        "GET /tasks/1 HTTP/1.1\r\nhost: localhost:8787\r\naccept: text/html\r\n\r\n",
    ),
    (
        "tasks",
        "GET /api/v1/tasks?state=ready,failed&well=A01&q=A01%25&after=0&limit=5 HTTP/1.1\r\nhost: localhost:8787\r\n\r\n",
    ),
    (
        "task-list",
        "GET /tasks?state=ready&plate=1&q=%3Cscript%3E&notice=requeued&n=3 HTTP/1.1\r\nhost: localhost:8787\r\naccept: text/html\r\n\r\n",
    ),
    (
        "files",
        "GET /api/v1/files?root=1&state=registered&subject=1&q=a&after=3 HTTP/1.1\r\nhost: localhost:8787\r\n\r\n",
    ),
    (
        "explain",
        "GET /api/v1/files/explain?path=/data/acquisition/../../etc/passwd HTTP/1.1\r\nhost: localhost:8787\r\n\r\n",
    ),
    (
        "events",
        "GET /api/v1/events?plate=1&after=0&limit=10 HTTP/1.1\r\nhost: localhost:8787\r\naccept: application/json\r\n\r\n",
    ),
    (
        "stream",
        "GET /api/v1/events HTTP/1.1\r\nhost: localhost:8787\r\naccept: text/event-stream\r\nlast-event-id: 3\r\n\r\n",
    ),
    (
        "absolute",
        "GET http://localhost:8787/api/v1/plates/1/wells HTTP/1.1\r\nhost: localhost:8787\r\n\r\n",
    ),
    (
        "assets",
        "GET /assets/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nhost: localhost:8787\r\nif-none-match: W/\"0\"\r\n\r\n",
    ),
    (
        "pause",
        "POST /api/v1/queue/pause HTTP/1.1\r\nhost: localhost:8787\r\nx-wellspring: 1\r\ncontent-type: application/json\r\n\r\n{\"reason\":\"lunch\"}",
    ),
    (
        "requeue",
        "POST /api/v1/tasks/requeue HTTP/1.1\r\nhost: localhost:8787\r\nx-wellspring: 1\r\ncontent-type: application/json\r\n\r\n{\"filter\":{\"tasks\":[1,2],\"plate\":1,\"state\":[\"ready\"],\"job\":\"blur\",\"q\":\"A\"},\"from_job\":\"blur\",\"dry_run\":true}",
    ),
    (
        "requeue-plate",
        "POST /api/v1/plates/1/requeue HTTP/1.1\r\nhost: localhost:8787\r\nx-wellspring: 1\r\n\r\n",
    ),
    (
        "cancel",
        "POST /api/v1/tasks/2/cancel HTTP/1.1\r\nhost: localhost:8787\r\nx-wellspring: 1\r\n\r\n",
    ),
    (
        "form",
        "POST /queue/resume HTTP/1.1\r\nhost: localhost:8787\r\norigin: http://localhost:8787\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\nback=/plates/1&reason=x",
    ),
    (
        "form-list",
        "POST /tasks/requeue HTTP/1.1\r\nhost: localhost:8787\r\norigin: http://localhost:8787\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\nplate=1&job=&kind=&well=A01&q=x",
    ),
    (
        "login",
        "POST /login HTTP/1.1\r\nhost: localhost:8787\r\norigin: http://localhost:8787\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\ntoken=wrong&next=//evil.example",
    ),
    (
        "bearer",
        "GET /metrics HTTP/1.1\r\nhost: localhost:8787\r\nauthorization: Bearer wrong\r\ncookie: wellspring_session=0123; a=b\r\n\r\n",
    ),
    (
        "foreign",
        "GET /api/v1/status HTTP/1.1\r\nhost: evil.example\r\norigin: null\r\nx-forwarded-host: localhost:8787\r\n\r\n",
    ),
];

const NAMES: &[(&str, &str)] = &[
    (
        "batchlib",
        "batchlib\nplate/WellA01_PointA01_0000_ChannelDAPI,WF_GFP_Seq0000.nd2.tif",
    ),
    (
        "regex",
        "(?<plate>[^/]+)/(?<row>[A-P])(?<col>\\d+)_s(?<site>\\d+)_(?<channel>w\\d)_z(?<z>\\d+)_t(?<t>\\d+)\np1/TimePoint_1/ZStep_2/B03_s2_w1_z4_t5.tif",
    ),
    (
        "channels",
        "(?<well>[A-Z]+\\d+)_(?<channels>[^.]+)\np1/AF48_DAPI,GFP.tif",
    ),
    (
        "imagexpress",
        "imagexpress\np/TimePoint_1/ZStep_1/name_B02_s1_w1F5C0E5E7-5C5E-4C53-8C35-0E5E7F5C0E5E.tif",
    ),
    ("yokogawa", "yokogawa\np/P_AA03_T0001F002L01A01Z01C01.tif"),
    (
        "operetta",
        "operetta\np/Images/r01c02f03p01-ch1sk1fk1fl1.tiff",
    ),
    (
        "scanr",
        "scanr:24\np/data/B2--W00014--P00001--Z00000--T00000--DAPI.tif",
    ),
    ("incell", "incell\np/B - 2(fld 1 wv UV - DAPI z 2).tif"),
];

const CONFIG: &str = "workflow_dirs = [\"w\"]\n[state]\ndir = \"s\"\nmin_free = \"1 GiB\"\n[server]\nlisten = \"127.0.0.1:8787\"\nallowed_hosts = [\"lab.example.org\"]\nmax_body = \"1 MiB\"\n[workers]\ncount = \"auto\"\ngpu = \"off\"\n[[root]]\npath = \"in\"\noutput = \"out\"\nworkflow = \"cells\"\nnaming = \"batchlib\"\nplate_complete = [\"manifest\", \"quiet:900\"]\nlayout = { rows = 8, columns = 12, sites = 4, channels = 3 }\n";

const TO_WORKER: &str = "{\"message\":\"pass\",\"workflow\":\"w\",\"threads\":2,\"request\":{\"pass\":1,\"plate\":\"p\",\"plate_dir\":\"/r/p\",\"subject\":{\"subject\":\"image_set\",\"name\":\"A01-0001\",\"planes\":[{\"root\":\"/r\",\"path\":{\"bytes\":[97,255]},\"plane\":0,\"channel\":\"DAPI\",\"z\":null}],\"inputs\":[{\"root\":\"/r\",\"path\":{\"bytes\":[97,255]},\"size\":8,\"mtime_ns\":1,\"ctime_ns\":1}],\"input_hash\":\"0\",\"container\":\"/r/p/a.h5\"},\"jobs\":[{\"job\":\"blur\",\"key\":\"k\"}]}}";

const FROM_WORKER: &str = "{\"message\":\"ready\",\"version\":\"0.1.0\"}\n{\"message\":\"started\",\"job\":\"blur\"}\n{\"message\":\"done\",\"report\":{\"outcomes\":{\"blur\":{\"outcome\":\"succeeded\"},\"cells\":{\"outcome\":\"failed\",\"failure\":{\"class\":\"permanent\",\"code\":\"damaged-file\",\"message\":\"m\",\"remedy\":\"r\",\"path\":\"/a\"}},\"table\":{\"outcome\":\"skipped\",\"because\":\"cells\"}},\"elapsed_ms\":{\"read\":1.5},\"published_bytes\":3,\"objects\":{\"nuclei\":4}},\"peak_rss\":1000}\n{\"message\":\"refused\",\"reason\":\"no\"}";

/// Hands every text to `add`, with its target and name.
pub fn all(add: &mut dyn FnMut(&'static str, &str, &str)) {
    for (name, body) in [
        ("dense", ""),
        (
            "placed",
            "<TiffData IFD='0' FirstC='1' PlaneCount='3'/><TiffData IFD='3' FirstZ='0' PlaneCount='3'/>",
        ),
        (
            "several",
            "<TiffData IFD='0'><UUID FileName='a.ome.tif'>urn:uuid:1</UUID></TiffData><TiffData IFD='0' FirstC='1'><UUID FileName='b.ome.tif'>urn:uuid:2</UUID></TiffData>",
        ),
    ] {
        add("ome", name, &format!("\x05{}", OME.replace("BODY", body)));
    }
    add(
        "ome",
        "imagej",
        "\x05ImageJ=1.53t\nimages=6\nchannels=2\nslices=3\nframes=1\nhyperstack=true\nunit=\\u00B5m\n",
    );
    for (name, text) in NAMES {
        add("naming", name, text);
    }
    add(
        "mapping",
        "roles",
        "{\"DAPI\":\"nuclei\",\"WF_GFP\":\"marker\",\"TRITC\":\"serum_IgG\",\"DIA\":null}",
    );
    add("config", "small", CONFIG);
    for (name, text) in [
        (
            "channels",
            include_str!("../../../config/examples/workflows/channels.toml"),
        ),
        (
            "illumination",
            include_str!("../../../config/examples/workflows/illumination-nuclei.toml"),
        ),
        (
            "cells",
            include_str!("../../../config/examples/workflows/nuclei-and-cells.toml"),
        ),
    ] {
        add("workflow", name, text);
    }
    add("to_worker", "pass", TO_WORKER);
    add("from_worker", "all", FROM_WORKER);
    for (name, text) in REQUESTS {
        add("http", name, text);
        add("http_token", name, text);
    }
}
