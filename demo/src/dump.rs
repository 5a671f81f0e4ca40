use crate::{shop::Shop,incident::{Incident,Fault,written},cluster::Cluster,simulate};
#[test]
fn dump() {
    let shop=Shop::open();
    let kind=std::env::var("K").unwrap_or("demo".into());
    let seed:u64=std::env::var("S").unwrap_or("1".into()).parse().unwrap();
    let inc= if kind=="demo" {Incident::demo(&shop)} else {Incident::by_seed(&shop,Fault::from_name(&kind).unwrap(),seed)};
    let cl=Cluster::populate(&shop,&inc);
    let t0=std::time::Instant::now();
    let h=simulate::simulate(&shop,&inc,&cl);
    println!("sim {:?}", t0.elapsed());
    println!("{} victim {} {:?} at {} herrings {:?}", inc.fault, shop.services[inc.victim].name, inc.effect, written(inc.onset), inc.herrings.iter().map(|h|(shop.services[h.service].name,&h.kind,(h.start-inc.onset)/60)).collect::<Vec<_>>());
    let k0=480usize;
    for (i,s) in shop.services.iter().enumerate(){
        let reps:Vec<_>=h.replicas.iter().filter(|r|r.service==i).collect();
        let win=|a:usize,b:usize|{
            let (mut n,mut f,mut lat,mut cpu,mut thr,mut mem,mut inu,mut wai,mut live)=(0u32,0u32,0.0,0.0,0.0,0.0f64,0,0,0);
            for r in &reps { for k in a..b { for o in &r.operations {let x=&o.steps[k]; n+=x.requests; f+=x.failed(); lat+=x.latency.mean()*f64::from(x.succeeded());}
              let x=&r.steps[k]; cpu+=x.cpu; thr+=x.throttled; mem=mem.max(x.memory); inu+=x.pool.in_use; wai+=x.pool.waiting; live+=x.live as u32;} }
            let m=((b-a)*reps.len()) as f64;
            format!("rps {:6.1} err {:5.2}% lat {:7.1}ms cpu {:.2}/{:.1} thr {:.2} mem {:4.0} use {:4.1} wait {:5.1} live {:.2}", n as f64/15.0/(b-a) as f64, 100.0*f as f64/n.max(1) as f64, 1000.0*lat/(n-f).max(1) as f64, cpu/m, s.cores(), thr/m, mem/1048576.0, inu as f64/m, wai as f64/m, live as f64/m)
        };
        if std::env::var("ALL").is_err() { let g=|a:usize,b:usize|{let (mut n,mut f,mut l)=(0.0,0.0,0.0); for r in &reps{for k in a..b{for o in &r.operations{let x=&o.steps[k];n+=x.requests as f64;f+=x.failed() as f64;l+=x.latency.mean()*x.succeeded() as f64;}}}(f/n,l/(n-f))}; let (a,b)=(g(k0-80,k0),g(k0+20,k0+119)); if (b.0-a.0).abs()<0.005 && (b.1/a.1<1.2) && i!=inc.victim {continue} }
        println!("{:14} pre  {}", s.name, win(k0-80,k0));
        for (a,b) in [(0,2),(2,4),(4,6),(20,60),(60,119)] { println!("{:14} +{:3} {}", "", a, win(k0+a,k0+b)); }
    }
}
